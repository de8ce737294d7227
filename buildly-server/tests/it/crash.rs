//! A server that is killed under load keeps what it acknowledged, and keeps it whole.
//!
//! Eight clients write as fast as they can; at a random moment the process gets SIGKILL, and
//! another starts on what it left. `BUILDLY_CRASH_ROUNDS` sets how often.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::harness::PASSWORD;
use crate::process::{Folder, Serving, Storage, fail, finish, run_with_input, succeed};

/// Clients that make groups; each request is short, so there are many.
const GROUP_CLIENTS: usize = 6;
/// Clients that register users with organizations of their own: one write, many rows.
const USER_CLIENTS: usize = 2;
/// How long the first of each may take on a busy machine.
const FIRST_WRITTEN_WITHIN: Duration = Duration::from_secs(20);

/// What one client was told is there, and what it asked for without an answer.
#[derive(Default)]
struct Written {
    groups: BTreeSet<String>,
    users: BTreeSet<String>,
    unanswered: BTreeSet<String>,
}

impl Written {
    fn add(&mut self, more: Self) {
        self.groups.extend(more.groups);
        self.users.extend(more.users);
        self.unanswered.extend(more.unanswered);
    }
}

fn rounds(usual: u32) -> u32 {
    std::env::var("BUILDLY_CRASH_ROUNDS").map_or(usual, |rounds| rounds.parse().expect("a number of rounds"))
}

/// Creates groups until nobody answers any more.
async fn make_groups(client: Client, organization: Value, prefix: String, first: Arc<Notify>) -> Written {
    let mut written = Written::default();
    for number in 0.. {
        let name = format!("{prefix}-{number}");
        let body = json!({"name": name, "organization": organization});
        match client.try_send(Method::POST, "/coregroups/", Some(&body)).await {
            Ok(answer) => drop(answer.expect(201)),
            Err(_) => {
                written.unanswered.insert(name);
                break;
            }
        }
        written.groups.insert(name);
        first.notify_one();
    }
    written
}

/// Registers users until nobody answers any more.
async fn register_users(client: Client, prefix: String, first: Arc<Notify>) -> Written {
    let mut written = Written::default();
    for number in 0.. {
        let name = format!("{prefix}-{number}");
        let body = json!({
            "username": name, "email": format!("{name}@example.org"), "password": PASSWORD,
            "first_name": "Ann", "last_name": "Tester", "organization_name": name,
        });
        match client.try_send(Method::POST, "/coreuser/", Some(&body)).await {
            Ok(answer) => drop(answer.expect(201)),
            Err(_) => {
                written.unanswered.insert(name);
                break;
            }
        }
        written.users.insert(name);
        first.notify_one();
    }
    written
}

/// Lets the clients write, kills the server at some moment, and says what was acknowledged.
async fn write_until_killed(server: Serving, root: &Client, organization: &Value, round: u32) -> Written {
    let mut clients = JoinSet::new();
    let (group, user) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    for client in 0..GROUP_CLIENTS {
        let prefix = format!("group-{round}-{client}");
        clients.spawn(make_groups(root.clone(), organization.clone(), prefix, group.clone()));
    }
    for client in 0..USER_CLIENTS {
        clients.spawn(register_users(server.client(), format!("user-{round}-{client}"), user.clone()));
    }
    let both = async { tokio::join!(group.notified(), user.notified()) };
    tokio::time::timeout(FIRST_WRITTEN_WITHIN, both).await.expect("a first group and a first user");
    let random = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
    // Real time, since the other process has no other.
    tokio::time::sleep(Duration::from_millis(random * 2)).await;
    server.kill();
    let mut written = Written::default();
    while let Some(more) = clients.join_next().await {
        written.add(more.unwrap());
    }
    written
}

fn counted(list: &[Value], field: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for item in list {
        *counts.entry(item[field].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// Everything acknowledged is there once; of the rest nothing that nobody asked for.
async fn check(root: &Client, written: &Written, round: u32) {
    let groups = counted(&root.get_all("/coregroups/").await.concat(), "name");
    let users = root.get_all("/coreuser/").await.concat();
    let names = counted(&users, "username");
    for (kind, acknowledged, found, prefix) in
        [("group", &written.groups, &groups, "group-"), ("user", &written.users, &names, "user-")]
    {
        for name in acknowledged {
            assert_eq!(found.get(name), Some(&1), "round {round}: the {kind} `{name}` was acknowledged");
        }
        for (name, times) in found.iter().filter(|(name, _)| name.starts_with(prefix)) {
            let asked = acknowledged.contains(name) || written.unanswered.contains(name);
            assert!(asked && *times == 1, "round {round}: the {kind} `{name}` is there {times} times");
        }
    }
    // A registration is one write: no user without the organization and groups made with it.
    for user in users.iter().filter(|user| user["username"] != "root") {
        assert_eq!(user["organization"]["name"], user["username"], "round {round}: {user}");
        assert_eq!(user["core_groups"].as_array().map(Vec::len), Some(2), "round {round}: {user}");
    }
}

async fn survives(storage: Storage, rounds: u32) {
    let folder = Folder::new();
    storage.create_root(&folder.0);
    let mut server = storage.serve(&folder.0);
    let sign_in = json!({"username": "root", "password": PASSWORD});
    let signed_in = server.client().post("/token/", &sign_in).await.expect(200).json();
    // One token for all rounds: it outlives the process and the port that issued it.
    let token = signed_in["access"].as_str().unwrap();
    let mut written = Written::default();
    for round in 0..rounds {
        let root = server.client().signed_in(token);
        // One for each round, since an organization has room for so many groups only.
        let name = json!({"name": format!("Round {round}")});
        let organization = root.post("/organization/", &name).await.expect(201).json();
        let organization = &organization["organization_uuid"];
        written.add(write_until_killed(server, &root, organization, round).await);
        server = storage.serve(&folder.0);
        check(&server.client().signed_in(token), &written, round).await;
        let verified = succeed(finish(storage.command(&folder.0, &["audit", "verify"]), ""));
        assert!(verified.contains("chains hold") && !verified.contains("BROKEN"), "{verified}");
    }
    assert_eq!(server.terminate().code(), Some(0));
    storage.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_all_that_was_acknowledged_survives_a_kill() {
    survives(Storage::sqlite(), rounds(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_all_that_was_acknowledged_survives_a_kill() {
    survives(Storage::postgres(), rounds(3)).await;
}

#[test]
fn a_folder_of_a_newer_program_is_refused() {
    let folder = Folder::new();
    assert_eq!(Serving::start(&folder.0).terminate().code(), Some(0));
    let database = folder.0.join("data/core.db");
    let connection = rusqlite::Connection::open(&database).unwrap();
    let added = connection
        .execute("INSERT INTO schema_migration (number, name, applied_at) VALUES (9999, 'later', 0)", [])
        .unwrap();
    assert_eq!(added, 1);
    drop(connection);
    let refused = fail(run_with_input(&folder.0, &["serve", "--listen", "127.0.0.1:0"], ""));
    assert!(refused.contains("migration 9999 (later)") && refused.contains("at least as new"), "{refused}");
}
