//! Services whose OpenAPI document is none: refused in words, and the server stays up.

use serde_json::json;

use crate::harness::TestServer;
use crate::upstream::Upstream;

fn document(paths: &str, more: &str) -> String {
    format!(r#"{{"openapi": "3.0.3", "info": {{"title": "x", "version": "1"}}, "paths": {paths}{more}}}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_is_none_is_refused_in_words_and_nothing_breaks() {
    let good = document(r#"{"/thing/": {"get": {"responses": {}}}}"#, "");
    let large = document(&format!(r#"{{"/thing/": {{"description": "{}"}}}}"#, "x".repeat(51 << 20)), "");
    let circular = document(
        r##"{"/thing/": {"get": {"responses": {"200": {"description": "", "content": {"application/json":
            {"schema": {"$ref": "#/components/schemas/A"}}}}}}}}"##,
        r##", "components": {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"},
            "C": {"properties": {"c": {"$ref": "#/components/schemas/C"}}}}}"##,
    );
    let circular_path = document(
        r##"{"/thing/": {"$ref": "#/paths/~1other~1"}, "/other/": {"$ref": "#/paths/~1thing~1"}}"##,
        "",
    );
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
                c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
                e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e]\n";
    let cases = [
        ("over 50 MB", large, false),
        ("a page", "<html>not a document</html>".to_owned(), false),
        ("a list", "[1, 2]".to_owned(), false),
        ("another object", r#"{"hello": "world"}"#.to_owned(), false),
        ("nothing", String::new(), false),
        ("100 000 deep", deep, false),
        ("a bomb of YAML aliases", bomb.to_owned(), false),
        ("schemas in a circle", circular, true),
        ("paths in a circle, which offer nothing", circular_path, true),
        ("good", good, true),
    ];
    let server = TestServer::start().await;
    let root = server.superuser("root", "Acme").await;
    for (case, body, is_taken) in cases {
        let service = Upstream::start().await;
        service.answer("/docs/swagger.json", 200, &body);
        let new = json!({"endpoint": service.url, "endpoint_name": "thing", "name": "thing"});
        let made = root.post("/logicmodule/", &new).await.expect(201).json();
        let path = format!("/logicmodule/{}/", made["id"]);
        let read = root.put(&format!("{path}specification/"), &json!({})).await;
        let status = read.status.as_u16();
        if is_taken {
            assert_eq!(status, 200, "{case}: {}", read.text());
        } else {
            assert!(matches!(status, 400 | 502), "{case}: {status} {}", read.text());
            let detail = read.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert!(detail.len() > 10 && detail.len() < 1000, "{case}: {detail}");
        }
        server.client.get("/docs/swagger.json").await.expect(200);
        root.get("/coreuser/me/").await.expect(200);
        root.delete(&path).await.expect(204);
    }
    server.stop().await;
}
