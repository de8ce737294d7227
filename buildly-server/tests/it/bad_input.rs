//! Bad input gets a clear answer, and the next good request works.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::TestServer;

const PATIENCE: Duration = Duration::from_secs(20);

/// Sends raw bytes and reads until the server closes; the status of the first answer and all text.
async fn raw(server: &TestServer, bytes: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(server.running().address()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut text = Vec::new();
    let write = async {
        // The server may stop reading at any time; what it answers is what counts.
        let _cut_off = writer.write_all(bytes).await;
    };
    let read = timeout(PATIENCE, reader.read_to_end(&mut text));
    let (_, read) = tokio::join!(write, read);
    let _reset_after_the_answer = read.expect("the server closes in time");
    let text = String::from_utf8_lossy(&text).into_owned();
    let status = text.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (status, text)
}

async fn still_works(server: &TestServer) {
    server.client.get("/health_check/").await.expect(200);
}

#[tokio::test]
async fn a_head_that_is_too_large_gets_431_and_the_connection_closes() {
    let server = TestServer::start().await;
    let one_long = format!("GET /livez HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "a".repeat(4_000_000));
    assert_eq!(raw(&server, one_long.as_bytes()).await.0, 431);
    still_works(&server).await;
    let many = format!("GET /livez HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-Many: a\r\n".repeat(400_000));
    assert_eq!(raw(&server, many.as_bytes()).await.0, 431);
    still_works(&server).await;
    let line = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(4_000_000));
    assert!([414, 431].contains(&raw(&server, line.as_bytes()).await.0));
    still_works(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_no_http_gets_a_bare_400_and_the_connection_closes() {
    let server = TestServer::start().await;
    for bytes in [
        &b"\x00\x01\x02\x03\x04\x05\x06\x07 garbage that is not HTTP at all\r\n\r\n"[..],
        b"GET /livez\r\n\r\n",
        b"GET /liv\xffez\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHo st: a\r\n\r\n",
        b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ] {
        let (status, text) = raw(&server, bytes).await;
        assert_eq!(status, 400, "{text}");
        still_works(&server).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_request_without_exactly_one_host_is_refused() {
    let server = TestServer::start().await;
    for head in ["GET /livez HTTP/1.1\r\n", "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n"] {
        let (status, text) = raw(&server, format!("{head}Connection: close\r\n\r\n").as_bytes()).await;
        assert_eq!(status, 400, "{text}");
    }
    still_works(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn two_lengths_of_one_body_never_hide_a_second_request() {
    let server = TestServer::start().await;
    let smuggling =
        b"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\nTransfer-Encoding: chunked\r\n\r\n\
        0\r\n\r\nGET /health_check/ HTTP/1.1\r\nHost: a\r\n\r\n";
    let (status, text) = raw(&server, smuggling).await;
    assert!((400..500).contains(&status), "{text}");
    assert!(!text.contains("DatabaseBackend"), "the hidden request was answered: {text}");
    still_works(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_closed_in_time() {
    let server = TestServer::start_with(|configuration| {
        configuration.limits.head_timeout = Duration::from_millis(200);
    })
    .await;
    for beginning in ["", "P", "GET /livez HTTP/1.1\r\nHost: a\r\nX-", "PRI * HTTP/2.0\r\n\r\nSM"] {
        let (status, text) = raw(&server, beginning.as_bytes()).await;
        assert!([0, 400, 408].contains(&status), "{beginning:?}: {text}");
        still_works(&server).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn paths_that_leave_their_folder_are_refused() {
    let server = TestServer::start().await;
    for path in
        ["/docs/../livez", "/docs/%2e%2e/livez", "/docs/..%2flivez", "/./livez", "/docs/%2e%2e%5clivez"]
    {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let (status, text) = raw(&server, request.as_bytes()).await;
        assert_eq!(status, 400, "{path}: {text}");
        assert!(text.contains("\"detail\""), "{text}");
    }
    still_works(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_query_that_is_no_utf_8_is_refused() {
    let server = TestServer::start().await;
    let answer = server.client.get("/health_check/?name=%ff").await.expect(400);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    still_works(&server).await;
    server.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_head_that_never_ends() {
    let server = TestServer::start_with(|configuration| {
        configuration.limits.head_timeout = Duration::from_millis(200);
    })
    .await;
    let address = server.running().address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    timeout(Duration::from_secs(10), server.stop()).await.expect("it stops");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
