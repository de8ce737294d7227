use async_trait::async_trait;
use http::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::*;
use crate::{Authenticate, Caller, DatabaseAddress, Declaration, Error, Settings};

struct Nobody;

#[async_trait]
impl Authenticate for Nobody {
    async fn authenticate(&self, _headers: &HeaderMap) -> Result<Caller, Error> {
        Err(Error::Unauthenticated("Nobody may."))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_says_nothing_makes_room_for_others() {
    let folder = std::env::temp_dir().join(format!("buildly-kit-{}", Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let database = DatabaseAddress::File(folder.join("test.db"));
    let declaration = Declaration::new("test", "Test", "For tests.");
    let service = declaration.open(Settings::new(database, Arc::new(Nobody))).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let limits = Limits { connections_max: 3, header_timeout: Duration::from_millis(20) };
    let running =
        tokio::spawn(
            async move { serve_within(&limits, service, listener, async { drop(stopped.await) }).await },
        );
    for opening in ["", "P", "PRI * HTTP/2.0", "GET"] {
        let mut idle = Vec::new();
        for _ in 0..3 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(opening.as_bytes()).await.unwrap();
            idle.push(stream);
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /health/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = String::new();
        let answered = tokio::time::timeout(HEADER_TIMEOUT, stream.read_to_string(&mut answer)).await;
        assert!(answered.is_ok(), "after `{opening}` nobody is answered any more");
        assert!(answer.starts_with("HTTP/1.1 200 "), "after `{opening}`: {answer}");
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
