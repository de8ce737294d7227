//! Services over HTTP: as existing clients register them, and as ours do.

use buildly_core::auth::identity::{ProfileUpdate, Registration};
use buildly_model::{Principal, Secret};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::{PASSWORD, TestServer};
use crate::upstream::Upstream;

const PRODUCT: &[(&str, &[&str])] =
    &[("/product/", &["get", "post"]), ("/product/{product_id}/", &["get", "put", "patch", "delete"])];

/// Somebody who is no superuser: the admin of an organization of their own.
async fn stranger(server: &TestServer) -> Client {
    let registration = Registration {
        username: "zed".to_owned(),
        email: "zed@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        organization_name: "Zeta".to_owned(),
        profile: ProfileUpdate::default(),
        invitation: None,
        groups: Vec::new(),
    };
    let auth = server.running().server().buildly().auth();
    auth.register(&Principal::ANONYMOUS, &registration).await.expect("open registration");
    server.signed_in("zed").await
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_service_has_the_life_that_existing_clients_know() {
    for server in [TestServer::start().await, TestServer::start_on_postgres().await] {
        let root = server.superuser("root", "Acme").await;
        let upstream = Upstream::with_paths(PRODUCT).await;
        assert_eq!(root.get("/logicmodule/").await.expect(200).json(), json!([]));
        let input = json!({
            "name": "products", "description": "Things to sell", "endpoint": upstream.url,
            "endpoint_name": "products", "docs_endpoint": "docs", "unknown": "is ignored"
        });
        let made = root.post("/logicmodule/", &input).await.expect(201).json();
        let expected = json!({
            "id": made["id"], "uuid": made["module_uuid"], "module_uuid": made["module_uuid"],
            "name": "products", "description": "Things to sell", "endpoint": upstream.url,
            "endpoint_name": "products", "docs_endpoint": "docs", "api_specification": null,
            "swagger_version": null, "core_groups": [], "credential": "forward",
            "create_date": made["create_date"], "edit_date": made["edit_date"],
        });
        assert_eq!(made, expected);
        assert!(made["id"].as_i64().unwrap() > 0);
        let path = format!("/logicmodule/{}/", made["id"]);
        assert_eq!(root.get(&path).await.expect(200).json(), expected);
        let by_uuid = format!("/logicmodule/{}", made["module_uuid"].as_str().unwrap());
        assert_eq!(root.get(&by_uuid).await.expect(200).json(), expected);

        let again = root.post("/logicmodule/", &input).await.expect(400).json();
        let sentence = "The fields endpoint, endpoint_name must make a unique set.";
        assert_eq!(again["non_field_errors"], json!([sentence]));
        let empty = root.post("/logicmodule/", &json!({})).await.expect(400).json();
        let required = json!(["This field is required."]);
        assert_eq!((&empty["endpoint"], &empty["endpoint_name"]), (&required, &required));

        let fetched = root.put(&format!("{path}specification/"), &json!({})).await.expect(200).json();
        assert_eq!(fetched["api_specification"]["paths"]["/product/"]["get"], json!({}));
        assert_eq!((&fetched["swagger_version"], &fetched["id"]), (&json!("2.0"), &made["id"]));

        let changed = root.patch(&path, &json!({"description": null})).await.expect(200).json();
        assert_eq!((&changed["description"], &changed["name"]), (&Value::Null, &json!("products")));
        root.put(&path, &json!({"name": "x"})).await.expect(400);
        let filtered = root.get("/logicmodule/?name=products").await.expect(200).json();
        assert_eq!(filtered.as_array().unwrap().len(), 1);
        assert_eq!(root.get("/logicmodule/?name=other").await.expect(200).json(), json!([]));
        let page = root.get("/logicmodule/?page=1").await.expect(200).json();
        assert_eq!((&page["count"], &page["next"]), (&json!(1), &Value::Null));
        assert_eq!(root.get("/logicmodule/?page=2").await.expect(404).json()["detail"], "Invalid page.");

        root.get("/products/product/7/").await.expect(404);
        root.delete(&path).await.expect(204);
        assert_eq!(root.get(&path).await.expect(404).json()["detail"], "Not found.");
        let gone = root.get("/products/product/").await.expect(404).json();
        assert_eq!(gone["detail"], "Service \"products\" not found.");
        server.stop().await;
    }
}

#[tokio::test]
async fn only_superusers_see_services() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    let zed = stranger(&server).await;
    let made = root
        .post("/logicmodule/", &json!({"endpoint": nobody(), "endpoint_name": "down"}))
        .await
        .expect(201)
        .json();
    let (old, new) = (format!("/logicmodule/{}/", made["id"]), "/gateway/services/down/");
    for (method, path) in [
        (Method::GET, "/logicmodule/"),
        (Method::POST, "/logicmodule/"),
        (Method::GET, &old),
        (Method::PATCH, &old),
        (Method::DELETE, &old),
        (Method::PUT, &format!("{old}specification/")),
        (Method::GET, "/gateway/services/"),
        (Method::GET, new),
        (Method::DELETE, new),
        (Method::GET, &format!("{new}instances/")),
        (Method::GET, &format!("{new}policy/")),
        (Method::GET, "/gateway/rate-limits/"),
    ] {
        let body = Some(json!({"endpoint": nobody(), "endpoint_name": "x"}));
        let body = body.filter(|_| method != Method::GET);
        let refused = zed.send(method.clone(), path, body.as_ref()).await.expect(403).json();
        assert_eq!(
            refused["detail"], "You do not have permission to perform this action.",
            "{method} {path}"
        );
        server.client.send(method.clone(), path, body.as_ref()).await.expect(401);
    }
    root.get(&old).await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn a_service_that_is_down_is_registered_and_named_when_it_is_called() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    let down = json!({"endpoint": nobody(), "endpoint_name": "down"});
    let down = root.post("/logicmodule/", &down).await.expect(201).json();
    assert_eq!((&down["name"], &down["docs_endpoint"]), (&json!("down"), &Value::Null));
    let refresh = format!("/logicmodule/{}/specification/", down["id"]);
    for answer in [root.put(&refresh, &json!({})).await, root.get("/down/product/").await] {
        let detail = answer.expect(502).json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("`down`"), "{detail}");
    }
    server.stop().await;
}

#[tokio::test]
async fn only_members_of_attached_groups_use_a_service() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    let zed = stranger(&server).await;
    let upstream = Upstream::with_paths(PRODUCT).await;
    upstream.answer("/product/", 200, "[]");
    let open = json!({"endpoint": upstream.url, "endpoint_name": "products"});
    let open = root.post("/logicmodule/", &open).await.expect(201).json();
    zed.get("/products/product/").await.expect(200);
    let buildly = server.running().server().buildly().clone();
    let id = buildly.snapshot().gateway.find_by_name("products").unwrap().service.id;
    let path = format!("/logicmodule/{}/", open["id"]);
    let unknown = root.patch(&path, &json!({"core_groups": [999]})).await.expect(400).json();
    assert!(unknown["core_groups"].is_array(), "{unknown}");
    root.patch(&path, &json!({"core_groups": "all"})).await.expect(400);

    let root_groups = buildly.auth().authenticate(&root.token()).await.unwrap();
    let groups = buildly.auth().groups(&root_groups, None).await.unwrap().items;
    let number = groups.iter().map(|group| group.number).min().unwrap();
    let attached = root.patch(&path, &json!({"core_groups": [number]})).await.expect(200).json();
    assert_eq!(attached["core_groups"], json!([number]));
    assert_eq!(buildly.auth().service_groups(id).await.unwrap().len(), 1);
    zed.get("/products/product/").await.expect(403);
    let detached = root.patch(&path, &json!({"core_groups": []})).await.expect(200).json();
    assert_eq!(detached["core_groups"], json!([]));
    zed.get("/products/product/").await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn instances_and_policies_change_while_calls_go_on() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    let (first, second) = (Upstream::with_paths(PRODUCT).await, Upstream::with_paths(PRODUCT).await);
    first.answer("/product/", 200, "[1]");
    second.answer("/product/", 200, "[2]");
    let new = json!({"name": "products", "base_url": first.url});
    let made = root.post("/gateway/services/", &new).await.expect(201);
    assert_eq!(made.header("etag"), "\"1\"");
    let service = "/gateway/services/products/";
    let calls = || async {
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(root.get("/products/product/").await.expect(200).text());
        }
        answers.sort();
        answers.dedup();
        answers
    };
    assert_eq!(calls().await, ["[1]"]);
    let instances = format!("{service}instances/");
    let added = root.post(&instances, &json!({"base_url": second.url})).await.expect(201).json();
    assert_eq!((&added["state"], &added["weight"]), (&json!("active"), &json!(1)));
    assert_eq!(calls().await, ["[1]", "[2]"]);
    let all = root.get(&instances).await.expect(200).json();
    let oldest = format!("{instances}{}/", all["results"][0]["id"].as_str().unwrap());
    root.patch(&oldest, &json!({"state": "draining"})).await.expect(200);
    assert_eq!(calls().await, ["[2]"]);
    root.delete(&oldest).await.expect(204);
    let last = format!("{instances}{}/", added["id"].as_str().unwrap());
    root.delete(&last).await.expect(409);
    root.post(&instances, &json!({"base_url": "https://far.example"})).await.expect(400);
    root.post(&instances, &json!({"base_url": nobody(), "colour": "red"})).await.expect(400);

    let policy = format!("{service}policy/");
    let set = root.put(&policy, &json!({"in_flight_max": 7, "retry": {"attempts_max": 1}})).await.expect(200);
    assert_eq!(
        (&set.json()["in_flight_max"], &set.json()["retry"]["budget_percent"]),
        (&json!(7), &json!(20))
    );
    let refused =
        root.put(&policy, &json!({"in_flight_max": 0, "retry": {"often": 1}})).await.expect(400).json();
    assert!(refused["errors"]["retry.often"].is_array(), "{refused}");
    let refused = root.put(&policy, &json!({"in_flight_max": 0})).await.expect(400).json();
    assert!(refused["errors"]["in_flight_max"].is_array(), "{refused}");
    assert_eq!(root.get(&policy).await.expect(200).json()["in_flight_max"], 7);
    server.stop().await;
}

#[tokio::test]
async fn a_change_to_a_service_that_somebody_else_changed_is_refused() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    let new = json!({"name": "crm", "base_url": nobody(), "title": "CRM"});
    root.post("/gateway/services/", &new).await.expect(201);
    let change = |tag: &str, title: &str| {
        Request::patch(server.client.url("/gateway/services/crm/"))
            .header("if-match", tag)
            .header("content-type", "application/json")
            .body(buildly_model::Body::from(json!({ "title": title }).to_string()))
            .unwrap()
    };
    assert_eq!(root.request(change("\"1\"", "one")).await.expect(200).header("etag"), "\"2\"");
    root.request(change("\"1\"", "two")).await.expect(412);
    root.request(change("W/\"2\"", "two")).await.expect(400);
    assert_eq!(root.get("/gateway/services/crm/").await.expect(200).json()["title"], "one");
    server.stop().await;
}

#[tokio::test]
async fn services_page_by_cursor() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    for name in ["a", "b", "c"] {
        root.post("/gateway/services/", &json!({"name": name, "base_url": nobody()})).await.expect(201);
    }
    let first = root.get("/gateway/services/?limit=2").await.expect(200).json();
    assert_eq!((&first["results"][0]["name"], &first["results"][1]["name"]), (&json!("a"), &json!("b")));
    let next = first["next"].as_str().unwrap().split_once("/gateway").unwrap().1.to_owned();
    let second = root.get(&format!("/gateway{next}")).await.expect(200).json();
    assert_eq!((&second["results"][0]["name"], &second["next"]), (&json!("c"), &Value::Null));
    root.get("/gateway/services/?cursor=x").await.expect(400);
    server.stop().await;
}

#[tokio::test]
async fn another_version_of_a_service_is_called_by_its_path() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    let (first, second) =
        (Upstream::with_paths(PRODUCT).await, Upstream::with_paths(&[("/item/", &["get"])]).await);
    first.answer("/product/", 200, "[1]");
    second.answer("/item/?q=1&q=2", 200, "[2]");
    root.post("/gateway/services/", &json!({"name": "shop", "base_url": first.url})).await.expect(201);
    let new = json!({"base_url": second.url, "version": "v2"});
    root.post("/gateway/services/shop/instances/", &new).await.expect(201);
    assert_eq!(root.get("/v2/shop/item/?q=1&q=2").await.expect(200).text(), "[2]");
    assert_eq!(root.get("/async/shop/product").await.expect(200).text(), "[1]");
    root.get("/v2/shop/product/").await.expect(404);
    root.get("/v3/shop/item/").await.expect(404);
    assert_eq!(second.asked().last().unwrap().target, "/item/?q=1&q=2");
    assert!(second.asked()[0].headers["authorization"].to_str().unwrap().starts_with("Bearer "));
    let document = root.get("/docs/swagger.json").await.expect(200).json();
    for path in ["/shop/product/", "/shop/product/{product_id}/", "/v2/shop/item/", "/logicmodule/"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_document_has_every_service_that_gives_one() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    let alpha = Upstream::with_paths(PRODUCT).await;
    let broken = Upstream::start().await;
    broken.answer("/docs/swagger.json", 200, "<html>not a document</html>");
    for (name, url) in [("alpha", alpha.url.clone()), ("down", nobody()), ("broken", broken.url.clone())] {
        root.post("/logicmodule/", &json!({"endpoint": url, "endpoint_name": name})).await.expect(201);
    }
    for path in ["/docs/swagger.json", "/docs/swagger.yaml"] {
        let document = server.client.get(path).await.expect(200).json();
        assert_eq!(document["openapi"], "3.1.0");
        let paths: Vec<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        assert!(paths.contains(&"/alpha/product/") && paths.contains(&"/logicmodule/{id}/"), "{paths:?}");
        assert!(
            !paths.iter().any(|path| path.starts_with("/down") || path.starts_with("/broken")),
            "{paths:?}"
        );
    }
    let refused = root.get("/broken/product/").await.expect(502).json();
    assert!(refused["detail"].as_str().unwrap().contains("got a page"), "{refused}");
    server.stop().await;
}

#[tokio::test]
async fn limits_are_set_while_the_server_runs() {
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    let limits = root.get("/gateway/rate-limits/").await.expect(200).json();
    assert_eq!(limits["principal"], json!({"requests": 500, "window_seconds": 1, "burst": 500}));
    let few = json!({"principal": {"requests": 1, "window_seconds": 3600, "burst": 1}});
    root.put("/gateway/rate-limits/", &few).await.expect(200);
    root.get("/nowhere/x/").await.expect(404);
    let limited = root.get("/nowhere/x/").await.expect(429);
    assert!(limited.header("retry-after").parse::<u32>().unwrap() > 0);
    let zero = json!({"principal": {"requests": 0, "window_seconds": 1, "burst": 1}});
    root.put("/gateway/rate-limits/", &zero).await.expect(400);
    root.put("/gateway/rate-limits/", &json!({"everybody": null})).await.expect(400);
    server.stop().await;
}

#[tokio::test]
async fn no_service_takes_a_path_of_the_server() {
    let server = TestServer::start().await;
    let document = server.client.get("/docs/swagger.json").await.expect(200).json();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 20);
    for path in paths.keys() {
        let first = path.split('/').nth(1).unwrap_or_default();
        assert!(
            buildly_core::gateway::ServiceName::parse(first).is_err(),
            "`{first}` of {path} is not reserved"
        );
    }
    server.stop().await;
}

/// What was written about the groups of services, oldest last.
async fn written_about_groups(server: &TestServer) -> usize {
    use buildly_core::journal::EventFilter;
    let filter = EventFilter { kind: Some("auth.service_groups".to_owned()), ..EventFilter::default() };
    let size = buildly_model::PageSize::default();
    server.buildly().journal().find(None, &filter, None, size).await.unwrap().len()
}

#[tokio::test]
async fn a_service_and_its_groups_are_written_together_or_not_at_all() {
    for server in [TestServer::start().await, TestServer::start_on_postgres().await] {
        let root = server.superuser("root", "Acme").await;
        let upstream = Upstream::with_paths(PRODUCT).await;
        let group = json!({"name": "sellers"});
        let group = root.post("/coregroups/", &group).await.expect(201).json()["id"].clone();
        let input = |name: &str, endpoint: &str| json!({"name": name, "endpoint": endpoint, "endpoint_name": name, "core_groups": [group]});
        let made = root.post("/logicmodule/", &input("products", &upstream.url)).await.expect(201).json();
        assert_eq!(made["core_groups"].as_array().map(Vec::len), Some(1), "{made}");
        assert_eq!(written_about_groups(&server).await, 1);
        let path = format!("/logicmodule/{}/", made["id"]);

        let taken = input("products", "http://127.0.0.1:9/elsewhere");
        root.post("/logicmodule/", &taken).await.expect(400);
        root.post("/logicmodule/", &input("other", "no address")).await.expect(400);
        let change = json!({"endpoint": "no address", "core_groups": []});
        root.patch(&path, &change).await.expect(400);
        assert_eq!(written_about_groups(&server).await, 1, "what is refused leaves no trace");
        let seen = root.get(&path).await.expect(200).json();
        assert_eq!(seen["core_groups"], made["core_groups"], "nor opens the service to all");

        root.patch(&path, &json!({"description": "Things", "core_groups": []})).await.expect(200);
        assert_eq!(written_about_groups(&server).await, 2);
        root.delete(&path).await.expect(204);
        assert_eq!(written_about_groups(&server).await, 3);
        server.stop().await;
    }
}
