//! The server carries the journal to NATS JetStream, also when it is killed meanwhile.
//!
//! The NATS server is at `BUILDLY_TEST_NATS_URL`, by default the one on this machine.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::harness::PASSWORD;
use crate::process::{Folder, Serving, Storage};

const PATIENCE: Duration = Duration::from_secs(60);
const GROUPS: usize = 30;

/// Where the NATS server is.
pub fn url() -> String {
    std::env::var("BUILDLY_TEST_NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".to_owned())
}

fn serve(storage: &Storage, folder: &Folder, name: &str) -> Serving {
    let mut command =
        storage.command(&folder.0, &["serve", "--listen", "127.0.0.1:0", "--log-level", "error"]);
    command.env("BUILDLY_NATS_URL", url()).env("BUILDLY_NATS_STREAM", name).env("BUILDLY_NATS_PREFIX", name);
    Serving::of(command)
}

/// Every event of the organization is in the stream once, in the order of the journal: the
/// stream drops what comes twice.
async fn carries(storage: Storage) {
    let folder = Folder::new();
    storage.create_root(&folder.0);
    let name = format!("test-{}", uuid::Uuid::now_v7().simple());
    let mut server = serve(&storage, &folder, &name);
    let sign_in = json!({"username": "root", "password": PASSWORD});
    let signed_in = server.client().post("/token/", &sign_in).await.expect(200).json();
    let token = signed_in["access"].as_str().unwrap();
    let root = server.client().signed_in(token);
    let organization = root.get("/organization/").await.expect(200).json()[0]["organization_uuid"].clone();
    for round in 0..2 {
        for number in 0..GROUPS {
            let body = json!({"name": format!("Group {round}-{number}"), "organization": organization});
            server.client().signed_in(token).post("/coregroups/", &body).await.expect(201);
        }
        server.kill();
        server = serve(&storage, &folder, &name);
    }
    let root = server.client().signed_in(token);
    let body = json!({"name": "Last", "organization": organization});
    root.post("/coregroups/", &body).await.expect(201);
    let newest = root.get("/audit/events/?limit=1").await.expect(200).json();
    let end = newest["results"][0]["sequence"].as_u64().unwrap();

    let jetstream = jetstream::new(async_nats::connect(url()).await.expect("a NATS server with JetStream"));
    let stream = jetstream.get_stream(&name).await.unwrap();
    let filter_subject = format!("{name}.{}.>", organization.as_str().unwrap());
    let config = pull::Config { filter_subject, ..pull::Config::default() };
    let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let mut sequences = Vec::new();
    while sequences.last() != Some(&end) {
        let message =
            tokio::time::timeout(PATIENCE, messages.next()).await.expect("in time").unwrap().unwrap();
        let event: Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(event["organization"], organization);
        sequences.push(event["sequence"].as_str().unwrap().parse::<u64>().unwrap());
    }
    assert_eq!(sequences, (1..=end).collect::<Vec<_>>());
    assert_eq!(server.terminate().code(), Some(0));
    jetstream.delete_stream(&name).await.unwrap();
    storage.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_killed_server_goes_on_carrying_where_it_was() {
    carries(Storage::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_killed_server_goes_on_carrying_where_it_was() {
    carries(Storage::postgres()).await;
}
