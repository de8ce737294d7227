//! Open streams end within a moment when the caller loses what let them begin.

use std::time::Duration;

use buildly_core::gateway::Registration;
use buildly_model::{Principal, Secret, ServiceId};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::Client;
use crate::drain::silent_service;
use crate::harness::{PASSWORD, TestServer};

/// A stream ends within a second; the rest is for a busy machine.
const ENDED_WITHIN: Duration = Duration::from_secs(10);
/// The application that Bob's tokens are issued to.
const CLIENT: &str = "front-end";

struct World {
    server: TestServer,
    root: Client,
    operator: Principal,
    service: ServiceId,
    ann: Value,
    bob_path: String,
}

async fn register(root: &Client, username: &str) -> Value {
    let body = json!({
        "username": username, "email": format!("{username}@example.org"), "password": PASSWORD,
        "first_name": "Ann", "last_name": "Tester", "organization_name": "Zeta",
    });
    root.post("/coreuser/", &body).await.expect(201).json()
}

impl World {
    async fn start(server: TestServer) -> Self {
        let root = server.superuser("root", "Root").await;
        let operator = server.buildly().auth().authenticate(&root.token()).await.unwrap();
        let endpoint = Some(silent_service().await);
        let registration =
            Registration { name: Some("live".to_owned()), endpoint, ..Registration::default() };
        let service = server.buildly().gateway().register(&operator, registration).await.unwrap().id;
        let application = json!({
            "client_id": CLIENT, "name": CLIENT, "client_type": "public",
            "authorization_grant_type": "password",
        });
        root.post("/oauth/applications/", &application).await.expect(201);
        // The first administers the organization, so that anything may happen to the second.
        let [ann, bob] = [register(&root, "ann").await, register(&root, "bob").await];
        let bob_path = format!("/coreuser/{}/", bob["id"]);
        root.patch(&bob_path, &json!({"is_active": true})).await.expect(200);
        Self { server, root, operator, service, ann, bob_path }
    }

    /// A token of the application, for Bob.
    async fn token(&self) -> String {
        let form =
            [("grant_type", "password"), ("client_id", CLIENT), ("username", "bob"), ("password", PASSWORD)];
        let issued = self.server.client.form("/oauth/token/", &form).await.expect(200).json();
        issued["access_token"].as_str().unwrap().to_owned()
    }

    /// An answer without an end and a WebSocket, both under way.
    async fn open(&self, token: &str) -> Vec<TcpStream> {
        let mut open = Vec::new();
        for lines in [
            "GET /live/endless/ HTTP/1.1",
            "GET /live/socket/ HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket",
        ] {
            let mut stream = TcpStream::connect(self.server.running().address()).await.unwrap();
            let head = format!("{lines}\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut seen = Vec::new();
            while !String::from_utf8_lossy(&seen).contains("hello") {
                seen.push(stream.read_u8().await.unwrap());
            }
            open.push(stream);
        }
        open
    }
}

async fn have_ended(case: &str, open: Vec<TcpStream>) {
    for mut stream in open {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(ENDED_WITHIN, stream.read_to_end(&mut rest)).await;
        drop(ended.unwrap_or_else(|_| panic!("{case}: a stream goes on")));
    }
}

/// That the streams of somebody whom nothing happened to are still there.
async fn go_on(case: &str, open: &mut [TcpStream]) {
    for stream in open {
        // What is left of the first piece, and then nothing.
        while let Ok(read) = tokio::time::timeout(Duration::from_millis(50), stream.read_u8()).await {
            read.unwrap_or_else(|error| panic!("{case}: a stream of somebody else ended: {error}"));
        }
    }
}

async fn every_loss_ends_the_streams(server: TestServer) {
    let world = World::start(server).await;
    let root = &world.root;
    let mut bystander = world.open(&root.token()).await;
    let auth = world.server.buildly().auth();
    let path = &world.bob_path;

    let token = world.token().await;
    let open = world.open(&token).await;
    root.form("/oauth/revoke_token/", &[("token", &token), ("client_id", CLIENT)]).await.expect(200);
    have_ended("the token was revoked", open).await;

    let open = world.open(&world.token().await).await;
    auth.set_password("bob", &Secret::new(PASSWORD)).await.unwrap();
    have_ended("the password was changed", open).await;

    let open = world.open(&world.token().await).await;
    root.patch(path, &json!({"is_active": false})).await.expect(200);
    have_ended("the user was deactivated", open).await;
    root.patch(path, &json!({"is_active": true})).await.expect(200);

    let account = root.post("/service_accounts/", &json!({"name": "nightly"})).await.expect(201).json();
    let account = format!("/service_accounts/{}/", account["id"].as_str().unwrap());
    let new_key = async || root.post(&format!("{account}keys/"), &json!({"name": "ci"})).await.json();
    let key = new_key().await;
    let open = world.open(key["api_key"].as_str().unwrap()).await;
    root.delete(&format!("{account}keys/{}/", key["id"].as_str().unwrap())).await.expect(204);
    have_ended("the API key was deleted", open).await;

    let open = world.open(new_key().await["api_key"].as_str().unwrap()).await;
    root.patch(&account, &json!({"is_active": false})).await.expect(200);
    have_ended("the service account was switched off", open).await;
    root.patch(&account, &json!({"is_active": true})).await.expect(200);

    let open = world.open(new_key().await["api_key"].as_str().unwrap()).await;
    root.delete(&account).await.expect(204);
    have_ended("the service account was deleted", open).await;

    let open = world.open(&world.token().await).await;
    let group = world.ann["core_groups"][0].as_i64().expect("the number of a group");
    let keys = [buildly_core::auth::identity::GroupKey::Number(group)];
    auth.set_service_groups(&world.operator, world.service, &keys).await.unwrap();
    have_ended("the permission was taken away", open).await;
    auth.set_service_groups(&world.operator, world.service, &[]).await.unwrap();

    let open = world.open(&world.token().await).await;
    let application = auth.applications(&world.operator).unwrap();
    let application = application.iter().find(|application| application.client_id == CLIENT).unwrap();
    root.delete(&format!("/oauth/applications/{}/", application.number)).await.expect(204);
    have_ended("the application was deleted", open).await;

    go_on("all that time", &mut bystander).await;
    world.server.buildly().gateway().delete(&world.operator, world.service).await.unwrap();
    have_ended("the service was deleted", bystander).await;
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_loss_ends_the_streams_on_sqlite() {
    every_loss_ends_the_streams(TestServer::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_loss_ends_the_streams_on_postgres() {
    every_loss_ends_the_streams(TestServer::start_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_with_their_token() {
    let server = TestServer::start_with(|configuration| {
        configuration.tokens.access_lifetime = Duration::from_secs(3);
    })
    .await;
    let root = server.superuser("root", "Root").await;
    let operator = server.buildly().auth().authenticate(&root.token()).await.unwrap();
    let endpoint = Some(silent_service().await);
    let registration = Registration { name: Some("live".to_owned()), endpoint, ..Registration::default() };
    let service = server.buildly().gateway().register(&operator, registration).await.unwrap().id;
    let token = server.signed_in("root").await.token();
    let world = World { server, root, operator, service, ann: Value::Null, bob_path: String::new() };
    let open = world.open(&token).await;
    have_ended("the token has ended", open).await;
    world.server.stop().await;
}
