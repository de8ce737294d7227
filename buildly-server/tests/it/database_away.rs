//! The database goes and comes back under a running server.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::client::{Answer, Client};
use crate::harness::{PASSWORD, POSTGRES_URL};
use crate::process::{Folder, Serving, Storage};

/// Stands between the server and PostgreSQL; cut, it drops every connection.
struct Proxy {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_cut, cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut cut = cut.clone();
                tokio::spawn(async move {
                    if *cut.borrow() {
                        return;
                    }
                    let mut far = TcpStream::connect("127.0.0.1:5432").await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        Self { address, is_cut }
    }
}

/// Asks again until the answer has this status; the server may notice a moment later.
async fn becomes(client: &Client, path: &str, status: u16) -> Answer {
    for _ in 0..600 {
        let answer = client.get(path).await;
        if answer.status.as_u16() == status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{path} never becomes {status}: {}", client.get(path).await.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_refused_while_the_database_is_away_and_work_again_after() {
    let (storage, folder, proxy) = (Storage::postgres(), Folder::new(), Proxy::start().await);
    storage.create_root(&folder.0);
    let mut serve = storage.command(&folder.0, &["serve", "--listen", "127.0.0.1:0", "--log-level", "error"]);
    let through = POSTGRES_URL.replace("127.0.0.1:5432", &proxy.address.to_string());
    serve.env("BUILDLY_DATABASE_URL", format!("{through}?sslmode=disable"));
    let server = Serving::of(serve);
    let anonymous = server.client();
    let sign_in = json!({"username": "root", "password": PASSWORD});
    let tokens = anonymous.post("/token/", &sign_in).await.expect(200).json();
    let root = anonymous.signed_in(tokens["access"].as_str().unwrap());
    anonymous.get("/readyz").await.expect(200);
    let group = |name: &str| {
        json!({
            "name": name, "permissions": {"create": true, "read": true, "update": true, "delete": true},
        })
    };
    root.post("/coregroups/", &group("before")).await.expect(201);

    proxy.is_cut.send_replace(true);
    becomes(&anonymous, "/readyz", 503).await;
    let refused = becomes(&root, "/coregroups/", 503).await;
    assert_eq!(refused.header("content-type"), "application/problem+json", "{}", refused.text());
    assert!(refused.json()["detail"].is_string());
    let refused = root.post("/coregroups/", &group("meanwhile")).await.expect(503);
    assert_eq!(refused.header("content-type"), "application/problem+json", "{}", refused.text());
    anonymous.post("/token/", &sign_in).await.expect(503);
    anonymous.get("/livez").await.expect(200);

    proxy.is_cut.send_replace(false);
    becomes(&anonymous, "/readyz", 200).await;
    let groups = becomes(&root, "/coregroups/", 200).await.json();
    let names: Vec<&str> =
        groups.as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"before") && !names.contains(&"meanwhile"), "{names:?}");
    root.post("/coregroups/", &group("after")).await.expect(201);
    anonymous.post("/token/", &sign_in).await.expect(200);
    assert_eq!(server.terminate().code(), Some(0));
    storage.remove().await;
}
