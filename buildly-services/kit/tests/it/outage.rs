//! The database goes away and comes back.

use std::sync::Arc;

use buildly_kit::DatabaseAddress;
use http::{Method, StatusCode};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::world::{World, drop_schema, new_schema};

const PIPES_MAX: u32 = 64;

/// Stands between a service and PostgreSQL; while it is cut, who connects is hung up on.
struct Proxy {
    port: u16,
    pipes: Arc<Semaphore>,
    cut: watch::Sender<u32>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let pipes = Arc::new(Semaphore::new(PIPES_MAX as usize));
        let cut = watch::Sender::new(0);
        let mut accepting = JoinSet::new();
        let (places, cuts) = (Arc::clone(&pipes), cut.clone());
        accepting.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let mut is_cut = cuts.subscribe();
                open.spawn(async move {
                    let mut database = TcpStream::connect("127.0.0.1:5432").await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut database) => {}
                        _ = is_cut.changed() => {}
                    }
                    drop((client, database, place));
                });
            }
        });
        Self { port, pipes, cut, _accepting: accepting }
    }

    /// Cuts every connection, and those to come until what this gives is dropped.
    async fn cut(&self) -> OwnedSemaphorePermit {
        // The wait begins before the cut, so that nobody gets in between.
        let alone = Arc::clone(&self.pipes).acquire_many_owned(PIPES_MAX);
        let (alone, ()) = tokio::join!(alone, async { self.cut.send_modify(|cuts| *cuts += 1) });
        alone.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_outlives_an_outage_of_its_database() {
    let (address, schema) = new_schema();
    let DatabaseAddress::Postgres { schema: name, .. } = address else { panic!("not PostgreSQL") };
    let proxy = Proxy::start().await;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port);
    let outcome = World::run(DatabaseAddress::Postgres { url, schema: name }, |world| async move {
        for round in 0..3 {
            world.make(json!({"name": format!("Lamp {round}")})).await;
            let cut = proxy.cut().await;
            for (method, path, body) in
                [(Method::GET, "/things/", None), (Method::POST, "/things/", Some(json!({"name": "Torch"})))]
            {
                let refused = world.send(method, path, body).await;
                assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.text);
                assert_eq!(refused.header("content-type"), "application/problem+json");
                assert_eq!(refused.header("retry-after"), "2");
                assert!(!refused.text.contains("127.0.0.1"), "{}", refused.text);
            }
            assert_eq!(world.send(Method::GET, "/health/", None).await.status, StatusCode::OK);
            drop(cut);
            let read = world.send(Method::GET, "/things/", None).await;
            assert_eq!(read.status, StatusCode::OK, "{}", read.text);
            assert_eq!(read.results().len(), round + 1, "{}", read.text);
        }
    })
    .await;
    drop_schema(&schema).await;
    outcome.unwrap();
}
