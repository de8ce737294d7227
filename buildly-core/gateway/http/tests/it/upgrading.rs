use std::time::Duration;

use buildly_gateway::Service;
use buildly_gateway_http::Client;
use buildly_model::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::upstream::{serve, serve_through};
use crate::world::{client_of, service, snapshot};

/// Switches to the protocol asked for and sends everything back; refuses without.
async fn echo_service() -> String {
    serve(|mut request: Request<Incoming>| async move {
        let Some(protocol) = request.headers().get("upgrade").cloned() else {
            return Response::builder().status(426).body(Body::from("upgrade required")).unwrap();
        };
        let switch = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let (mut read, mut write) = tokio::io::split(TokioIo::new(switch.await.unwrap()));
            let _ = tokio::io::copy(&mut read, &mut write).await;
            let _ = write.shutdown().await;
        });
        Response::builder()
            .status(101)
            .header("connection", "upgrade")
            .header("upgrade", protocol)
            .header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            .body(Body::empty())
            .unwrap()
    })
    .await
}

async fn world(change: impl FnOnce(&mut Service)) -> (Client, Service, String) {
    let mut service = service(&[echo_service().await]);
    change(&mut service);
    let client = client_of(&[&service]).await;
    let front = serve_through(client.clone(), service.clone()).await;
    (client, service, front)
}

/// Sends a request for an upgrade and reads the head of the answer.
async fn knock(front: &str, protocol: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(front.strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!(
        "GET /live HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: {protocol}\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (stream, String::from_utf8(head).unwrap().to_ascii_lowercase())
}

async fn echoes(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(back, text.as_bytes());
}

#[tokio::test]
async fn a_web_socket_passes_both_ways_and_survives_a_change_of_the_services() {
    let (client, service, front) = world(|_| {}).await;
    let (mut stream, head) = knock(&front, "websocket").await;
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("upgrade: websocket\r\n"), "{head}");
    assert!(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    echoes(&mut stream, "hello").await;
    assert_eq!((client.open_streams(), client.load(service.id)), (1, (0, 0)));
    client.follow(&snapshot(&[]).await);
    echoes(&mut stream, &"x".repeat(300_000)).await;
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "closing one side closes the other");
}

#[tokio::test]
async fn no_other_http_is_switched_to() {
    let (_, _, front) = world(|_| {}).await;
    let (_, head) = knock(&front, "h2c").await;
    assert!(head.starts_with("http/1.1 426"), "the service saw no upgrade: {head}");
}

#[tokio::test]
async fn a_web_socket_ends_when_the_right_does() {
    let (client, _, front) = world(|_| {}).await;
    let (mut stream, _) = knock(&front, "websocket").await;
    echoes(&mut stream, "hello").await;
    assert_eq!(client.end_streams_unless(|_, _, _| false), 1);
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_silent_web_socket_is_closed() {
    let (_, _, front) = world(|service| service.policy.idle_timeout_ms = 100).await;
    let (mut stream, _) = knock(&front, "websocket").await;
    echoes(&mut stream, "hello").await;
    let closed = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 8])).await;
    assert_eq!(closed.expect("closed within a second").unwrap_or(0), 0);
}

#[tokio::test]
async fn closing_the_client_ends_its_tunnels() {
    let (client, _, front) = world(|_| {}).await;
    let (mut stream, _) = knock(&front, "websocket").await;
    echoes(&mut stream, "hello").await;
    client.close().await;
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0);
    assert_eq!(client.open_streams(), 0);
}
