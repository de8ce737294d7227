//! A stop lets open requests end, but not for ever.

use std::time::Duration;

use buildly_core::gateway::Registration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::TestServer;

/// A service that takes an upgrade and then says nothing, or never ends its answer.
pub(crate) async fn silent_service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
                let document = r#"{"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": {
                    "/socket/": {"get": {"responses": {}}}, "/endless/": {"get": {"responses": {}}}}}"#;
                let answer = if head.starts_with("get /docs") {
                    let length = document.len();
                    format!(
                        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{document}"
                    )
                } else if head.contains("upgrade: websocket") {
                    "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello"
                        .to_owned()
                } else {
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_owned()
                };
                stream.write_all(answer.as_bytes()).await?;
                if head.starts_with("get /docs") {
                    return stream.shutdown().await;
                }
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.map(|_| ())
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_sockets_that_never_end_are_cut_off() {
    let server = TestServer::start_with(|configuration| {
        configuration.limits.stop_timeout = Duration::from_secs(5);
    })
    .await;
    let root = server.superuser("root", "Root").await;
    let operator = server.buildly().auth().authenticate(&root.token()).await.unwrap();
    let endpoint = Some(silent_service().await);
    let registration = Registration { name: Some("silent".to_owned()), endpoint, ..Registration::default() };
    server.buildly().gateway().register(&operator, registration).await.unwrap();
    let mut open = Vec::new();
    for lines in [
        "GET /silent/endless/ HTTP/1.1",
        "GET /silent/socket/ HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket",
    ] {
        let mut stream = TcpStream::connect(server.running().address()).await.unwrap();
        let head = format!("{lines}\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n", root.token());
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains("hello") {
            seen.push(stream.read_u8().await.unwrap());
        }
        open.push(stream);
    }
    // Both would go on for ever: that this returns, and that both see an end, is what is shown.
    server.stop().await;
    for mut stream in open {
        let mut rest = Vec::new();
        let _cut_off_or_closed = stream.read_to_end(&mut rest).await;
    }
}
