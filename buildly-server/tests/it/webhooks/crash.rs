//! A server that is killed while it sends goes on where it was.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::name_of;
use crate::client::Client;
use crate::harness::PASSWORD;
use crate::process::{Folder, Serving, Storage};
use crate::receiver::Receiver;

/// How often the server is killed.
const ROUNDS: usize = 3;
/// How many groups are made before each kill.
const GROUPS: usize = 40;

fn serve(storage: &Storage, folder: &Path) -> Serving {
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--set", "webhooks.reach_private=true"];
    Serving::of(storage.command(folder, &arguments))
}

async fn make(client: &Client, organization: &Value, name: &str) {
    let body = json!({"name": name, "organization": organization});
    client.post("/coregroups/", &body).await.expect(201);
}

/// Nothing acknowledged is missed, and nothing comes before what happened before it, though the
/// last event before a kill may come twice.
async fn goes_on(storage: Storage) {
    let folder = Folder::new();
    storage.create_root(&folder.0);
    let mut server = serve(&storage, &folder.0);
    let sign_in = json!({"username": "root", "password": PASSWORD});
    let signed_in = server.client().post("/token/", &sign_in).await.expect(200).json();
    let token = signed_in["access"].as_str().unwrap();
    let root = server.client().signed_in(token);
    let organization = root.get("/organization/").await.expect(200).json()[0]["organization_uuid"].clone();
    let mut receiver = Receiver::start().await;
    let hook = json!({"url": receiver.url, "kinds": ["auth.group.created"]});
    let made = root.post("/webhooks/", &hook).await.expect(201).json();
    let secret = made["secret"].as_str().unwrap().to_owned();

    let mut names = Vec::new();
    for round in 0..ROUNDS {
        let root = server.client().signed_in(token);
        for number in 0..GROUPS {
            let name = format!("Group {round}-{number}");
            make(&root, &organization, &name).await;
            names.push(name);
        }
        // Real time, since the other process has no other.
        let random = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
        tokio::time::sleep(Duration::from_millis(random / 2)).await;
        server.kill();
        server = serve(&storage, &folder.0);
    }
    names.push("Last".to_owned());
    make(&server.client().signed_in(token), &organization, "Last").await;

    let (mut came, mut highest, mut twice) = (Vec::new(), 0_u64, 0);
    while came.last().map(String::as_str) != Some("Last") {
        let event = receiver.next().await.event(&secret);
        let sequence: u64 = event["sequence"].as_str().unwrap().parse().unwrap();
        if sequence > highest {
            highest = sequence;
            came.push(name_of(&event));
        } else {
            twice += 1;
        }
    }
    assert_eq!(came, names, "{twice} came twice");
    assert_eq!(server.terminate().code(), Some(0));
    storage.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_killed_server_goes_on_sending_where_it_was() {
    goes_on(Storage::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_a_killed_server_goes_on_sending_where_it_was() {
    goes_on(Storage::postgres()).await;
}
