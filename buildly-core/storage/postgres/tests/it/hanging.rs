//! Connections that hang without an end, and a pool that is used up.

use std::sync::Arc;
use std::time::Duration;

use buildly_auth::token::Store as _;
use buildly_journal::{History as _, LeaseId, Part};
use buildly_model::{Revision, StoreError};
use buildly_storage_postgres::Postgres;
use buildly_unit::conformance::event;
use buildly_unit::{Storage, Unit};
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::support::{Schema, database_url, open_empty_store};

const LEASE: LeaseId = LeaseId(uuid::Uuid::from_u128(1));
/// What a node counts as the length of its lease.
const LEASE_LENGTH: Duration = Duration::from_millis(1800);

/// Stands between a node and the database. Connections that were there when it stalled stay open
/// and pass nothing any more, as behind a firewall that forgot them; new ones work.
struct Between {
    url: String,
    stalls: watch::Sender<u64>,
}

impl Between {
    async fn start() -> Self {
        let options: PgConnectOptions = database_url().parse().unwrap();
        let database = format!("{}:{}", options.get_host(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = database_url().replace(&database, &listener.local_addr().unwrap().to_string());
        let (stalls, seen) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&database).await.unwrap();
                let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
                tokio::spawn(pass(near_read, far_write, seen.clone()));
                tokio::spawn(pass(far_read, near_write, seen.clone()));
            }
        });
        Self { url, stalls }
    }

    fn stall(&self) {
        self.stalls.send_modify(|stalls| *stalls += 1);
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    stalls: watch::Receiver<u64>,
) {
    let born = *stalls.borrow();
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if *stalls.borrow() != born {
            // Neither on nor closed.
            std::future::pending::<()>().await;
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// Tries until it works, and says how long that took.
async fn until_it_works<T>(mut attempt: impl AsyncFnMut() -> Result<T, StoreError>) -> Duration {
    let began = Instant::now();
    let works = async { while attempt().await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(60), works).await.expect("it works again some time");
    began.elapsed()
}

async fn write(storage: &Postgres) -> Result<Revision, StoreError> {
    let part = Part::of_all(None, vec![], vec![event("test.thing.made", "it")]);
    buildly_unit::Committer::commit(storage, Unit { parts: vec![part] }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_hangs_is_given_up_and_made_anew() {
    let schema = Schema::new();
    let between = Between::start().await;
    let storage = Arc::new(Postgres::connect_in(&between.url, &schema.0).await.unwrap());
    let apart: Arc<dyn Storage> = storage.apart().expect("it has connections of its own");
    apart.begin_lease(LEASE).await.unwrap();
    let position = apart.feed_end().await.unwrap();
    apart.read_feed(position, 10).await.unwrap();
    storage.head(None).await.unwrap();
    write(&storage).await.unwrap();

    between.stall();
    let lease = until_it_works(async || apart.renew_lease(LEASE, Revision::ZERO).await).await;
    assert!(lease < LEASE_LENGTH, "the lease was not renewed in time: {lease:?}");
    between.stall();
    let feed = until_it_works(async || apart.read_feed(position, 10).await).await;
    assert!(feed < Duration::from_secs(5), "the follower hung for {feed:?}");
    let read = until_it_works(async || storage.signing_keys().await).await;
    assert!(read < Duration::from_secs(20), "a read hung for {read:?}");
    let written = until_it_works(async || write(&storage).await).await;
    assert!(written < Duration::from_secs(20), "a write hung for {written:?}");
    storage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_use_up_the_pool_hold_up_neither_lease_nor_feed() {
    let opened = open_empty_store().await;
    let storage = &opened.storage;
    let mut held = Vec::new();
    for _ in 0..buildly_storage_postgres::engine::CONNECTIONS_MAX {
        held.push(storage.engine().pool().acquire().await.unwrap());
    }
    assert!(storage.head(None).await.is_err(), "nothing is left for another request");
    let apart = storage.apart().expect("it has connections of its own");
    apart.begin_lease(LEASE).await.unwrap();
    assert!(apart.renew_lease(LEASE, Revision::ZERO).await.unwrap());
    let position = apart.feed_end().await.unwrap();
    let revision = write(storage).await.expect("who writes has a connection of its own as well");
    let heard = async {
        loop {
            let page = apart.read_feed(position, 10).await.unwrap();
            if page.complete_to >= revision {
                return page.events.len();
            }
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), heard).await.unwrap(), 1);
}
