//! The service in Python of `examples/`, as a process of its own behind the gateway.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::TestServer;
use crate::mesh_world::register;
use crate::upstream::Upstream;

struct Process {
    child: Child,
    url: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/service-in-python")
}

/// A virtual environment with what the example needs; made once.
fn python() -> PathBuf {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("service-in-python");
    let (python, is_ready) = (environment.join("bin/python"), environment.join("ready"));
    if !is_ready.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        let requirements = example().join("requirements.txt");
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements));
        std::fs::write(is_ready, "").unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

async fn start(jwks: String) -> Process {
    let starting = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(python());
        command.arg(example().join("service.py")).args(["0", &jwks]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Process { child, url: line.trim().strip_prefix("listening on ").unwrap().to_owned() }
    });
    starting.await.unwrap()
}

async fn declare(root: &Client, service: &str, model: &str, endpoint: &str) -> Value {
    let body = json!({"logic_module_endpoint_name": service, "model": model, "endpoint": endpoint});
    let made = root.post("/datamesh/logicmodulemodels/", &body).await.expect(201).json();
    made["logic_module_model_uuid"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_in_python_checks_tokens_and_its_records_are_joined_in_one_call() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "default organization").await;
    let ann = register(&server, "ann", "Acme").await;
    let shop = start(server.client.url("/.well-known/jwks.json")).await;
    let orders = Upstream::with_paths(&[("/orders/", &["get"])]).await;
    orders.answer("/orders/?join", 200, r#"[{"id": 7}, {"id": 8}]"#);
    for (name, url) in [("shop", &shop.url), ("orders", &orders.url)] {
        let module = json!({"name": name, "endpoint_name": name, "endpoint": url});
        root.post("/logicmodule/", &module).await.expect(201);
    }
    let order = declare(&root, "orders", "Order", "/orders/").await;
    let product = declare(&root, "shop", "Product", "/products/").await;
    let link = json!({"key": "products", "origin_model_id": order, "related_model_id": product});
    root.post("/datamesh/relationships/", &link).await.expect(201);
    for (order, product) in [(7, 1), (7, 3), (8, 3)] {
        let pair = json!({
            "origin_model_name": "ordersOrder", "record_id": order,
            "related_model_name": "shopProduct", "related_record_id": product,
        });
        ann.post("/datamesh/joinrecords/", &pair).await.expect(201);
    }
    let joined = ann.get("/orders/orders/?join").await.expect(200);
    let (vinyl, compact) = (json!({"id": "1", "name": "Vinyl"}), json!({"id": "3", "name": "CD"}));
    let expected = json!([{"id": 7, "products": [vinyl, compact]}, {"id": 8, "products": [compact]}]);
    assert_eq!((joined.json(), joined.header("buildly-mesh")), (expected, ""));

    assert_eq!(ann.get("/shop/products/2/").await.expect(200).json()["name"], "Tape");
    ann.get("/shop/products/9/").await.expect(404);
    let itself = Client::new(shop.url.clone());
    itself.signed_in(ann.token()).get("/products/").await.expect(200);
    let cut = ann.token().split('.').take(2).collect::<Vec<_>>().join(".");
    for (case, token) in [("no signature", cut), ("no token", "abc".to_owned()), ("nothing", String::new())] {
        let refused = itself.signed_in(token).get("/products/").await;
        assert_eq!(refused.status, 401, "{case}");
    }
    server.stop().await;
}
