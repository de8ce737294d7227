//! The service in Python of `examples/`, as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use buildly_kit::Body;
use http::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use uuid::Uuid;

use crate::issuer::Issuer;
use crate::world::acme;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A virtual environment with what the example needs; made once.
fn python() -> PathBuf {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/service-in-python");
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-venv");
    let python = environment.join("bin/python");
    let is_ready = environment.join("ready");
    if !is_ready.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(example.join("requirements.txt")));
        std::fs::write(is_ready, "").unwrap();
    }
    python
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_in_python_checks_tokens_and_filters_by_ids() {
    let issuer = Issuer::new("one");
    let keys = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let jwks = format!("http://{}/jwks", keys.local_addr().unwrap());
    let body = issuer.jwks().to_string();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        loop {
            let (mut stream, _) = keys.accept().await.unwrap();
            let mut request = [0; 4096];
            drop(stream.read(&mut request).await);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/service-in-python/service.py");
    let started = Command::new(python)
        .arg(script)
        .args(["0", &jwks])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut process = Process(started.unwrap());
    let mut line = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let base = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    let token = issuer.token(acme(), Uuid::from_u128(1));
    let (status, all) = get(&base, "/products/", &token).await;
    assert_eq!((status, all["results"].as_array().unwrap().len()), (StatusCode::OK, 3));
    let (one, two) = (all["results"][0]["id"].as_str().unwrap(), all["results"][2]["id"].as_str().unwrap());
    let (_, some) = get(&base, &format!("/products/?id__in={one},{two}"), &token).await;
    assert_eq!(some["results"].as_array().unwrap().len(), 2);
    assert_eq!(get(&base, &format!("/products/{one}/"), &token).await.0, StatusCode::OK);
    for token in ["", "abc", &Issuer::new("one").token(acme(), Uuid::from_u128(1))] {
        assert_eq!(get(&base, "/products/", token).await.0, StatusCode::UNAUTHORIZED);
    }
    let (status, document) = get(&base, "/docs/openapi.json", "").await;
    assert_eq!((status, &document["openapi"]), (StatusCode::OK, &Value::from("3.1.0")));
}

async fn get(base: &str, path: &str, token: &str) -> (StatusCode, Value) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let request = Request::get(format!("{base}{path}")).header("authorization", format!("Bearer {token}"));
    let response = client.request(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = Body::stream(response.into_body()).collect(1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}
