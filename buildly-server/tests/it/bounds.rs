//! Bounds and faults of handlers, shown with handlers made for it.

use std::sync::Arc;
use std::time::Duration;

use buildly_core::Buildly;
use buildly_server::configuration::Configuration;
use buildly_server::route::{get, post};
use buildly_server::serve::{Listener, serve};
use buildly_server::{Problem, Request, Response, Routes, Server};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::client::Client;

async fn echo(_: &Buildly, mut request: Request) -> Result<Response, Problem> {
    let fields = request.fields().await?;
    Ok(Response::ok(fields.values()))
}

async fn panics(_: &Buildly, _: Request) -> Result<Response, Problem> {
    panic!("a secret of the handler")
}

async fn slow(_: &Buildly, _: Request) -> Result<Response, Problem> {
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(Response::ok("done"))
}

struct Echo {
    client: Client,
    address: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
    buildly: Buildly,
    folder: std::path::PathBuf,
}

impl Echo {
    async fn start() -> Self {
        let folder = std::env::temp_dir().join(format!("buildly-bounds-{}", uuid::Uuid::now_v7()));
        let buildly = Buildly::open(&folder).await.unwrap();
        let mut configuration = Configuration::default();
        configuration.limits.body_bytes_max = 200_000;
        configuration.limits.body_idle_timeout = Duration::from_millis(300);
        let routes = [Routes::compat("test", "Only here.")
            .add(post("/echo/", echo))
            .add(get("/panic/", panics))
            .add(get("/slow/", slow))];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("http://{address}");
        let server = Arc::new(Server::new(buildly.clone(), &routes, configuration, base.clone()).unwrap());
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(server, Listener::Tcp(listener), stopped));
        Self { client: Client::new(base), address, stop, serving, buildly, folder }
    }

    async fn still_works(&self) {
        let answer = self.client.post("/echo/", &json!({"a": [1]})).await.expect(200);
        assert_eq!(answer.json(), json!({"a": [1]}));
    }

    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let mut text = Vec::new();
        let write = async { writer.write_all(bytes).await };
        let read = tokio::time::timeout(Duration::from_secs(20), reader.read_to_end(&mut text));
        let (_, read) = tokio::join!(write, read);
        read.expect("the server closes in time").ok();
        String::from_utf8_lossy(&text).into_owned()
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.serving.await.unwrap();
        self.buildly.close().await;
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

#[tokio::test]
async fn bad_bodies_get_a_sentence_and_the_next_request_works() {
    let server = Echo::start().await;
    for (case, media_type, body, status, sentence) in [
        ("malformed", "application/json", "{".to_owned(), 400, "JSON parse error"),
        ("no object", "application/json", "[1]".to_owned(), 400, "Expected a JSON object"),
        ("100 000 deep", "application/json", "[".repeat(100_000), 400, "nested too deep"),
        ("100 000 deep objects", "application/json", "{\"a\":".repeat(30_000), 400, "nested too deep"),
        ("too large", "application/json", " ".repeat(200_001), 413, "larger than the 200000 bytes"),
        ("unknown kind", "text/csv", "a,b".to_owned(), 415, "Unsupported media type"),
        ("bad form", "application/x-www-form-urlencoded", "a=%ff".to_owned(), 400, "UTF-8"),
    ] {
        let request = http::Request::post(server.client.url("/echo/")).header("content-type", media_type);
        let request = request.body(buildly_model::Body::from(body)).unwrap();
        let answer = server.client.request(request).await;
        assert_eq!(answer.status.as_u16(), status, "{case}: {}", answer.text());
        assert!(answer.json()["detail"].as_str().unwrap().contains(sentence), "{case}: {}", answer.text());
        server.still_works().await;
    }
    let invalid =
        b"POST /echo/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\"\xff\xfe\"";
    assert!(server.raw(invalid).await.starts_with("HTTP/1.1 400"));
    server.still_works().await;
    server.end().await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let server = Echo::start().await;
    let silent = b"POST /echo/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{";
    let answer = server.raw(silent).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    server.still_works().await;
    let mut endless = b"POST /echo/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..100 {
        endless.extend_from_slice(format!("2710\r\n{}\r\n", " ".repeat(10_000)).as_bytes());
    }
    let answer = server.raw(&endless).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    server.still_works().await;
    server.end().await;
}

#[tokio::test]
async fn a_panic_of_a_handler_is_one_500_without_its_words() {
    let server = Echo::start().await;
    let answer = server.client.get("/panic/").await.expect(500);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    server.still_works().await;
    server.end().await;
}

#[tokio::test]
async fn a_stop_lets_an_open_request_end() {
    let server = Echo::start().await;
    let client = server.client.clone();
    let open = tokio::spawn(async move { client.get("/slow/").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.end().await;
    assert_eq!(open.await.unwrap().expect(200).json(), "done");
}
