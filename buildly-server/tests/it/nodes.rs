//! Two processes over one PostgreSQL schema: what one takes away, the other no longer allows.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{Answer, Client};
use crate::harness::{PASSWORD, POSTGRES_URL, TestServer};
use crate::process::{Folder, Serving, Storage};

/// The application that sessions are revoked through.
const CLIENT: &str = "front-end";
/// How long an acknowledgment may take with a node that does not answer: its lease of two
/// seconds, and time for a busy machine.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(6);

/// Two nodes; `a` and `b` are clients without a token.
struct Nodes {
    storage: Storage,
    folders: [Folder; 2],
    first: Serving,
    second: Serving,
    a: Client,
    b: Client,
    /// The superuser's token.
    root: String,
}

impl Nodes {
    async fn start() -> Self {
        let (storage, folders) = (Storage::postgres(), [Folder::new(), Folder::new()]);
        storage.create_root(&folders[0].0);
        let (first, second) = (storage.serve(&folders[0].0), storage.serve(&folders[1].0));
        let (a, b) = (first.client(), second.client());
        let root = sign_in(&a, "root").await;
        let application = json!({
            "client_id": CLIENT, "name": CLIENT, "client_type": "public",
            "authorization_grant_type": "password",
        });
        a.signed_in(&root).post("/oauth/applications/", &application).await.expect(201);
        Self { storage, folders, first, second, a, b, root }
    }

    async fn stop(self) {
        assert_eq!(self.first.terminate().code(), Some(0));
        assert_eq!(self.second.terminate().code(), Some(0));
        drop(self.folders);
        self.storage.remove().await;
    }
}

async fn sign_in(node: &Client, username: &str) -> String {
    let body = json!({"username": username, "password": PASSWORD});
    let tokens = node.post("/token/", &body).await.expect(200).json();
    tokens["access"].as_str().unwrap().to_owned()
}

async fn revoke(node: &Client, token: &str) {
    let form = [("token", token), ("client_id", CLIENT)];
    let revoked = node.form("/oauth/revoke_token/", &form);
    tokio::time::timeout(ACKNOWLEDGED_WITHIN, revoked).await.expect("acknowledged in time").expect(200);
}

/// The first answer that is not 503: what a node says once it is in touch with the others,
/// which on a busy machine it may not be for a moment.
async fn settled(node: &Client, method: Method, path: &str, body: Option<&Value>) -> Answer {
    for _ in 0..1000 {
        let answer = node.send(method.clone(), path, body).await;
        if answer.status != 503 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the node does not get in touch with the others");
}

async fn get(node: &Client, path: &str) -> Answer {
    settled(node, Method::GET, path, None).await
}

/// Waits for what was given, which nobody waits for when it is acknowledged.
async fn eventually(node: &Client, path: &str, body: Option<&Value>, status: u16) -> Answer {
    let method = if body.is_some() { Method::POST } else { Method::GET };
    for _ in 0..500 {
        let answer = settled(node, method.clone(), path, body).await;
        if answer.status == status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{path} never answers {status}");
}

async fn register(node: &Client, username: &str) -> Value {
    let body = json!({
        "username": username, "email": format!("{username}@example.org"), "password": PASSWORD,
        "first_name": "Ann", "last_name": "Tester", "organization_name": "Zeta",
    });
    node.post("/coreuser/", &body).await.expect(201).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_takes_away_the_next_request_to_the_other_is_refused() {
    let nodes = Nodes::start().await;
    let (a, b) = (&nodes.a, &nodes.b);
    for round in 0..5 {
        let token = sign_in(a, "root").await;
        assert_eq!(get(&b.signed_in(&token), "/coreuser/me/").await.expect(200).json()["username"], "root");
        a.signed_in(&token).get("/coreuser/me/").await.expect(200);
        revoke(a, &token).await;
        let refused = get(&b.signed_in(&token), "/coreuser/me/").await;
        assert_eq!(refused.status, 401, "round {round}: {}", refused.text());
        a.signed_in(&token).get("/coreuser/me/").await.expect(401);
    }

    let ann_body = register(a, "ann").await;
    let bob_body = register(a, "bob").await;
    let root_at_b = b.signed_in(&nodes.root);
    let listed = get(&root_at_b, "/coreuser/").await.expect(200).json();
    let names: Vec<_> =
        listed.as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["ann", "bob", "root"], "what one node wrote, the other lists");

    let ann = a.signed_in(sign_in(a, "ann").await);
    let path = format!("/coreuser/{}/", bob_body["id"]);
    ann.patch(&path, &json!({"is_active": true})).await.expect(200);
    let bob = b.signed_in(sign_in(a, "bob").await);
    for round in 0..5 {
        ann.patch(&path, &json!({"core_groups": ann_body["core_groups"]})).await.expect(200);
        let group = json!({"name": format!("group {round}"), "organization": ann_body["organization"]});
        eventually(&bob, "/coregroups/", Some(&group), 201).await;
        ann.patch(&path, &json!({"core_groups": []})).await.expect(200);
        let refused = settled(&bob, Method::POST, "/coregroups/", Some(&group)).await;
        assert_eq!(refused.status, 403, "round {round}: {}", refused.text());
    }
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_slept_does_not_allow_what_was_taken_away_meanwhile() {
    let nodes = Nodes::start().await;
    let (a, b) = (&nodes.a, &nodes.b);
    let early = sign_in(a, "root").await;
    let late = sign_in(a, "root").await;
    for token in [&early, &late, &nodes.root] {
        eventually(&b.signed_in(token), "/coreuser/me/", None, 200).await;
    }

    nodes.second.signal("STOP");
    // The sleeper still has its lease: this waits until it has run out, and no longer.
    revoke(a, &early).await;
    // Real time, since the lease runs in the database and in another process: without this
    // the sleeper could wake with its lease barely over.
    tokio::time::sleep(Duration::from_millis(500)).await;
    revoke(a, &late).await;

    // Requests that wait for it in the kernel: what it answers first when it wakes.
    let mut waiting = JoinSet::new();
    for token in [&early, &late, &early, &late] {
        let sleeper = nodes.second.client().signed_in(token);
        waiting.spawn(async move { sleeper.get("/coreuser/me/").await });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    nodes.second.signal("CONT");
    while let Some(answer) = waiting.join_next().await {
        let answer = answer.unwrap();
        assert!([401, 503].contains(&answer.status.as_u16()), "{}: {}", answer.status, answer.text());
    }
    for token in [&early, &late] {
        get(&b.signed_in(token), "/coreuser/me/").await.expect(401);
    }
    eventually(&b.signed_in(&nodes.root), "/coreuser/me/", None, 200).await;
    nodes.stop().await;
}

/// Others no longer wait for a node whose lease was ended, so its memory may be missing removals
/// that even the feed does not show. This one is written past the journal, as nobody may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_lease_was_ended_reads_its_state_anew() {
    use sqlx::{Connection as _, Executor as _};
    let server = TestServer::start_on_postgres().await;
    let root = server.superuser("root", "Root").await;
    root.get("/coreuser/me/").await.expect(200);
    let statement = format!(
        "SET search_path TO {}; UPDATE session SET revoked_at = started_at; DELETE FROM node",
        server.schema()
    );
    let mut connection = sqlx::PgConnection::connect(POSTGRES_URL).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    eventually(&root, "/coreuser/me/", None, 401).await;
    let again = server.signed_in("root").await;
    eventually(&again, "/coreuser/me/", None, 200).await;
    server.stop().await;
}

/// The follower and the keeper of the lease have connections that no request uses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_use_up_the_pool_put_no_node_out_of_touch() {
    let schema = format!("server_{}", uuid::Uuid::now_v7().simple());
    let folder = Folder::new();
    let storage = buildly_core::Postgres::connect_in(POSTGRES_URL, &schema).await.unwrap();
    let node =
        buildly_core::Buildly::builder().folder(&folder.0).storage(storage.clone()).build().await.unwrap();
    let mut held = Vec::new();
    while let Ok(connection) = storage.engine().pool().acquire().await {
        held.push(connection);
    }
    // Twice its lease, in real time.
    for _ in 0..400 {
        node.require_fresh().expect("it is in touch");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(held);
    node.close().await;
    crate::harness::drop_schema(&schema).await;
}
