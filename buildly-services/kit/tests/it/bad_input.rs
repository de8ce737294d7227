//! Bad input gets a clear error; the next good request works.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::on_both_databases;
use crate::world::World;

async fn a_body_that_cannot_be_kept_is_refused(world: Arc<World>) {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_field = format!("{{\"name\": \"x\", \"tags\": {deep}}}");
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(2 << 20));
    for (case, body, status) in [
        ("nothing", &b""[..], 400),
        ("no JSON", b"{", 400),
        ("no UTF-8", b"{\"name\": \"\xff\"}", 400),
        ("half a surrogate", b"{\"name\": \"\\ud800\"}", 400),
        ("a list", b"[]", 400),
        ("deep", deep.as_bytes(), 400),
        ("deep field", deep_field.as_bytes(), 400),
        ("too large", large.as_bytes(), 413),
        ("nothing in it", b"{}", 400),
        ("null for required", b"{\"name\": null}", 400),
        ("empty name", b"{\"name\": \"\"}", 400),
        ("NUL", b"{\"name\": \"a\\u0000b\"}", 400),
        ("number as text", b"{\"name\": 1}", 400),
        ("text as number", b"{\"name\": \"x\", \"count\": \"1\"}", 400),
        ("fraction", b"{\"name\": \"x\", \"count\": 1.5}", 400),
        ("too many", b"{\"name\": \"x\", \"count\": 1000001}", 400),
        ("beyond 64 bits", b"{\"name\": \"x\", \"count\": 99999999999999999999}", 400),
        ("beyond floats", b"{\"name\": \"x\", \"weight\": 1e999}", 400),
        ("no instant", b"{\"name\": \"x\", \"since\": \"yesterday\"}", 400),
        ("wrong in the list", b"{\"name\": \"x\", \"tags\": [1]}", 400),
        ("no list", b"{\"name\": \"x\", \"tags\": {}}", 400),
        ("unknown field", b"{\"name\": \"x\", \"nmae\": \"x\"}", 400),
        ("own rule", b"{\"name\": \"forbidden\"}", 400),
        ("id of its own", b"{\"name\": \"x\", \"id\": \"01890a5d-ac96-774b-bcce-b302099a8057\"}", 400),
    ] {
        let answer = world.raw(&world.acme, Method::POST, "/things/", &[], body.to_vec()).await;
        assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{case}");
        assert!(answer.body["detail"].is_string(), "{case}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let form = world.raw(&world.acme, Method::POST, "/things/", &form, b"name=x".to_vec()).await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    world.make(json!({"name": "Lamp"})).await;
}

async fn every_refused_field_is_named_at_once(world: Arc<World>) {
    let body = json!({"count": "x", "weight": [], "what": 1});
    let answer = world.send(Method::POST, "/things/", Some(body)).await;
    let errors = answer.body["errors"].as_object().unwrap();
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["count", "name", "weight", "what"]);
}

async fn a_path_that_means_nothing_is_not_found(world: Arc<World>) {
    for path in
        ["/nothing/", "/things/1/", "/things/../things/x", "/things//", "/things/%ff/", "/things/a%2Fb/"]
    {
        let answer = world.send(Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    for query in ["limit=99999999999999999999", "cursor=%00", "id__in=x", "count=9999999999999999999"] {
        let answer = world.send(Method::GET, &format!("/things/?{query}"), None).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let nul = world.send(Method::GET, "/things/?name=a%00b", None).await;
    assert_eq!(nul.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.send(Method::GET, "/things/?search=a%00b", None).await.status, StatusCode::OK);
}

async fn raw_bytes_on_the_socket_do_no_harm(world: Arc<World>) {
    let headers = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Long: y\r\n".repeat(400_000));
    let both = "POST /things/ HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    for request in [headers.as_str(), "\0\0\0\0\r\n\r\n", "GET /\r\n\r\n", both] {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        // The service may close before all is written: that is its right.
        drop(stream.write_all(request.as_bytes()).await);
        drop(stream.shutdown().await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    world.make(json!({"name": "Lamp"})).await;
}

on_both_databases!(
    a_body_that_cannot_be_kept_is_refused,
    every_refused_field_is_named_at_once,
    a_path_that_means_nothing_is_not_found,
    raw_bytes_on_the_socket_do_no_harm,
);
