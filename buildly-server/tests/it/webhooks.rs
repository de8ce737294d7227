//! Webhooks over HTTP, with a receiver that listens.

mod crash;

use buildly_core::auth::identity::{ProfileUpdate, Registration};
use buildly_model::{Principal, Secret};
use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::{PASSWORD, POSTGRES_URL, TestServer};
use crate::receiver::Receiver;

/// One server on each database, which may reach the receiver on this machine.
async fn servers() -> Vec<(TestServer, Option<String>)> {
    let schema = format!("webhooks_{}", uuid::Uuid::now_v7().simple());
    let sqlite = TestServer::start_with(|configuration| configuration.webhooks.reach_private = true).await;
    let postgres = TestServer::start_with(|configuration| {
        configuration.webhooks.reach_private = true;
        configuration.database_url = Some(Secret::new(POSTGRES_URL));
        configuration.database_schema = schema.clone();
    })
    .await;
    vec![(sqlite, None), (postgres, Some(schema))]
}

async fn stop((server, schema): (TestServer, Option<String>)) {
    server.stop().await;
    if let Some(schema) = schema {
        crate::harness::drop_schema(&schema).await;
    }
}

/// Somebody with an organization of their own.
async fn register(server: &TestServer, name: &str) -> Client {
    let registration = Registration {
        username: name.to_owned(),
        email: format!("{name}@example.org"),
        password: Secret::new(PASSWORD),
        organization_name: format!("{name}'s"),
        profile: ProfileUpdate::default(),
        invitation: None,
        groups: Vec::new(),
    };
    server.buildly().auth().register(&Principal::ANONYMOUS, &registration).await.unwrap();
    server.signed_in(name).await
}

async fn own_organization(client: &Client) -> Value {
    let events = client.get("/audit/events/?kind=auth.organization.created").await.expect(200).json();
    events["results"][0]["subject"].clone()
}

async fn make_groups(client: &Client, organization: &Value, names: impl IntoIterator<Item = String>) {
    for name in names {
        let body = json!({"name": name, "organization": organization});
        client.post("/coregroups/", &body).await.expect(201);
    }
}

/// Makes a webhook of the events of groups; its id and its secret.
async fn make_webhook(client: &Client, url: &str) -> (String, String) {
    let made = client.post("/webhooks/", &json!({"url": url, "kinds": ["auth.group"]})).await.expect(201);
    assert!(made.header("cache-control").contains("no-store"));
    let made = made.json();
    assert_eq!((&made["state"], &made["url"]), (&json!("active"), &json!(url)));
    (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

fn name_of(event: &Value) -> String {
    event["data"]["name"].as_str().unwrap_or_else(|| panic!("a group has a name: {event}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_reach_a_webhook_signed_and_in_order() {
    for one in servers().await {
        let ada = register(&one.0, "ada").await;
        let organization = own_organization(&ada).await;
        let (mut all, mut groups) = (Receiver::start().await, Receiver::start().await);
        let made = ada.post("/webhooks/", &json!({"url": all.url, "description": "all"})).await;
        let made = made.expect(201).json();
        let all_secret = made["secret"].as_str().unwrap();
        let (id, secret) = make_webhook(&ada, &groups.url).await;
        assert_ne!(secret, all_secret);
        let shown = ada.get(&format!("/webhooks/{id}/")).await.expect(200).text();
        assert!(!shown.contains("whsec_"), "the secret is shown once: {shown}");

        let names: Vec<String> = (0..5).map(|number| format!("Group {number}")).collect();
        make_groups(&ada, &organization, names.clone()).await;
        let mut sequence = 0;
        for name in &names {
            let received = groups.next().await;
            let event = received.event(&secret);
            assert!(!received.is_signed_with(all_secret), "each webhook has its own");
            assert_eq!((&event["type"], &name_of(&event)), (&json!("auth.group.created"), name));
            assert_eq!(event["organization"], organization);
            let next: u64 = event["sequence"].as_str().unwrap().parse().unwrap();
            assert!(next > sequence, "{event}");
            sequence = next;
        }
        let first = all.next().await.event(all_secret);
        assert_eq!(first["type"], "extension.webhook.created", "its own creation is the first event");
        assert!(!first.to_string().contains("key=1"), "an address may hold a secret: {first}");
        let mut before: u64 = first["sequence"].as_str().unwrap().parse().unwrap();
        while before < sequence {
            let event = all.next().await.event(all_secret);
            let next = event["sequence"].as_str().unwrap().parse().unwrap();
            assert_eq!(next, before + 1, "without a gap: {event}");
            before = next;
        }
        let listed = ada.get("/webhooks/").await.expect(200).json();
        assert_eq!(listed["results"].as_array().unwrap().len(), 2, "{listed}");
        stop(one).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_fails_is_tried_again_and_keeps_the_order() {
    for one in servers().await {
        let ada = register(&one.0, "ada").await;
        let organization = own_organization(&ada).await;
        let mut receiver = Receiver::start().await;
        let (id, secret) = make_webhook(&ada, &receiver.url).await;
        receiver.answer(&[500, 302]);
        make_groups(&ada, &organization, ["First".to_owned(), "Second".to_owned()]).await;
        let mut came = Vec::new();
        for _ in 0..4 {
            let received = receiver.next().await;
            let event = received.event(&secret);
            came.push((name_of(&event), received.answered, event["id"].clone()));
        }
        let told: Vec<(&str, u16)> = came.iter().map(|(name, status, _)| (name.as_str(), *status)).collect();
        assert_eq!(told, [("First", 500), ("First", 302), ("First", 204), ("Second", 204)]);
        assert!(came[0].2 == came[1].2 && came[1].2 == came[2].2, "one event has one id: {came:?}");

        let path = format!("/webhooks/{id}/deliveries/");
        let rows = listed(&ada, &path, 4).await;
        let told: Vec<_> = rows
            .iter()
            .rev()
            .map(|row| (row["attempt"].clone(), row["status"].clone(), row["delivered"].clone()))
            .collect();
        let expected = [(1, 500, false), (2, 302, false), (3, 204, true), (1, 204, true)]
            .map(|(attempt, status, delivered)| (json!(attempt), json!(status), json!(delivered)));
        assert_eq!(told, expected);
        assert_eq!(rows[0]["event"], came[3].2);
        let paged = ada.get(&format!("{path}?limit=3")).await.expect(200).json();
        assert_eq!(paged["results"].as_array().unwrap().len(), 3);
        assert!(paged["next"].is_string(), "{paged}");
        stop(one).await;
    }
}

/// The deliveries, newest first, once there are so many: they are noted after the receiver has answered.
async fn listed(client: &Client, path: &str, count: usize) -> Vec<Value> {
    for _ in 0..2000 {
        let rows = client.get(path).await.expect(200).json()["results"].as_array().unwrap().clone();
        if rows.len() >= count {
            return rows;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("there are not {count} deliveries");
}

/// The webhook, once it is in this state.
async fn in_state(client: &Client, id: &str, state: &str) -> Value {
    for _ in 0..2000 {
        let webhook = client.get(&format!("/webhooks/{id}/")).await.expect(200).json();
        if webhook["state"] == state && (state != "disabled" || webhook["trouble"].is_object()) {
            return webhook;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it does not become {state}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_webhook_waits_and_a_delivery_is_replayed() {
    for one in servers().await {
        let ada = register(&one.0, "ada").await;
        let organization = own_organization(&ada).await;
        let mut receiver = Receiver::start().await;
        let (id, secret) = make_webhook(&ada, &receiver.url).await;
        let path = format!("/webhooks/{id}");
        make_groups(&ada, &organization, ["Before".to_owned()]).await;
        let before = receiver.next().await.event(&secret);
        let paused = ada.post(&format!("{path}/pause/"), &json!({})).await.expect(200).json();
        assert_eq!(paused["state"], "paused");
        make_groups(&ada, &organization, ["While".to_owned(), "Paused".to_owned()]).await;

        let rows = listed(&ada, &format!("{path}/deliveries/"), 1).await;
        assert_eq!(rows.len(), 1, "nothing is sent while it is paused: {rows:?}");
        let delivery = rows[0]["id"].as_str().unwrap();
        let replay = format!("{path}/deliveries/{delivery}/replay/");
        let replayed = ada.post(&replay, &json!({})).await.expect(200).json();
        assert_eq!((&replayed["replay"], &replayed["delivered"]), (&json!(true), &json!(true)));
        assert_eq!(receiver.next().await.event(&secret), before, "the same event under the same id");
        receiver.answer(&[500]);
        let failed = ada.post(&replay, &json!({})).await.expect(200).json();
        assert_eq!((&failed["delivered"], &failed["status"]), (&json!(false), &json!(500)));
        receiver.next().await;
        assert!(receiver.rest().is_empty(), "only what was replayed has come");

        ada.post(&format!("{path}/resume/"), &json!({})).await.expect(200);
        for name in ["While", "Paused"] {
            assert_eq!(name_of(&receiver.next().await.event(&secret)), name);
        }

        receiver.answer(&[410]);
        make_groups(&ada, &organization, ["Gone".to_owned()]).await;
        assert_eq!(receiver.next().await.answered, 410);
        let disabled = in_state(&ada, &id, "disabled").await;
        assert_eq!(disabled["trouble"]["fault"], "the receiver answered 410");
        let told = ada.get("/audit/events/?kind=extension.webhook.disabled").await.expect(200).json();
        assert_eq!(told["results"][0]["subject"], json!(id));

        // A change of address, then on again: what has waited comes to the new one.
        let mut other = Receiver::start().await;
        let patch = json!({"url": other.url, "kinds": ["auth.group.created"]});
        let changed = ada.patch(&format!("{path}/"), &patch).await.expect(200).json();
        assert_eq!(
            (&changed["kinds"], &changed["state"]),
            (&json!(["auth.group.created"]), &json!("disabled"))
        );
        let resumed = ada.post(&format!("{path}/resume/"), &json!({})).await.expect(200).json();
        assert!(resumed["trouble"].is_null(), "{resumed}");
        assert_eq!(name_of(&other.next().await.event(&secret)), "Gone");

        ada.delete(&format!("{path}/")).await.expect(204);
        make_groups(&ada, &organization, ["After".to_owned()]).await;
        for (method, path) in [("GET", format!("{path}/")), ("POST", replay)] {
            let method = http::Method::from_bytes(method.as_bytes()).unwrap();
            ada.send(method, &path, Some(&json!({}))).await.expect(404);
        }
        assert!(receiver.rest().is_empty() && other.rest().is_empty());
        stop(one).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_reads_or_changes_a_webhook_or_gets_its_events() {
    for one in servers().await {
        let (ada, zed) = (register(&one.0, "ada").await, register(&one.0, "zed").await);
        let (of_ada, of_zed) = (own_organization(&ada).await, own_organization(&zed).await);
        let (mut at_ada, mut at_zed) = (Receiver::start().await, Receiver::start().await);
        let (id, secret) = make_webhook(&ada, &at_ada.url).await;
        let (_, secret_of_zed) = make_webhook(&zed, &at_zed.url).await;
        make_groups(&ada, &of_ada, ["Ada's".to_owned()]).await;
        make_groups(&zed, &of_zed, ["Zed's".to_owned()]).await;
        assert_eq!(name_of(&at_ada.next().await.event(&secret)), "Ada's");
        assert_eq!(name_of(&at_zed.next().await.event(&secret_of_zed)), "Zed's");

        let delivery = listed(&ada, &format!("/webhooks/{id}/deliveries/"), 1).await[0]["id"].clone();
        let delivery = delivery.as_str().unwrap();
        let new = json!({"url": at_zed.url});
        for (method, path, body) in [
            ("GET", format!("/webhooks/{id}/"), None),
            ("PATCH", format!("/webhooks/{id}/"), Some(&new)),
            ("DELETE", format!("/webhooks/{id}/"), None),
            ("POST", format!("/webhooks/{id}/pause/"), None),
            ("POST", format!("/webhooks/{id}/resume/"), None),
            ("GET", format!("/webhooks/{id}/deliveries/"), None),
            ("POST", format!("/webhooks/{id}/deliveries/{delivery}/replay/"), None),
        ] {
            let method = http::Method::from_bytes(method.as_bytes()).unwrap();
            zed.send(method.clone(), &path, body).await.expect(404);
            one.0.client.send(method, &path, body).await.expect(401);
        }
        let seen = zed.get("/webhooks/").await.expect(200).json();
        assert_eq!(seen["results"].as_array().unwrap().len(), 1, "{seen}");
        one.0.client.get("/webhooks/").await.expect(401);
        one.0.client.post("/webhooks/", &new).await.expect(401);
        assert_eq!(ada.get(&format!("/webhooks/{id}/")).await.expect(200).json()["state"], "active");
        assert!(at_ada.rest().is_empty() && at_zed.rest().is_empty(), "nobody got more");

        let body = json!({
            "username": "bob", "email": "bob@example.org", "password": PASSWORD,
            "first_name": "Bob", "last_name": "Member", "organization_name": "ada's",
        });
        let user = one.0.client.post("/coreuser/", &body).await.expect(201).json();
        let active = json!({"is_active": true});
        ada.patch(&format!("/coreuser/{}/", user["id"]), &active).await.expect(200);
        let bob = one.0.signed_in("bob").await;
        for (method, path, body) in [
            ("GET", "/webhooks/".to_owned(), None),
            ("POST", "/webhooks/".to_owned(), Some(&new)),
            ("GET", format!("/webhooks/{id}/"), None),
            ("PATCH", format!("/webhooks/{id}/"), Some(&new)),
            ("DELETE", format!("/webhooks/{id}/"), None),
            ("POST", format!("/webhooks/{id}/pause/"), None),
            ("GET", format!("/webhooks/{id}/deliveries/"), None),
            ("POST", format!("/webhooks/{id}/deliveries/{delivery}/replay/"), None),
        ] {
            let method = http::Method::from_bytes(method.as_bytes()).unwrap();
            bob.send(method, &path, body).await.expect(403);
        }
        stop(one).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_webhook_is_refused() {
    let server = TestServer::start().await;
    let ada = register(&server, "ada").await;
    let good = "https://hooks.example.org/";
    for (body, field) in [
        (json!({"url": "http://127.0.0.1:8080/"}), "url"),
        (json!({"url": "https://127.0.0.1/"}), "url"),
        (json!({"url": "https://169.254.169.254/latest/meta-data/"}), "url"),
        (json!({"url": "https://localhost/"}), "url"),
        (json!({"url": "http://hooks.example.org/"}), "url"),
        (json!({"url": "hooks.example.org"}), "url"),
        (json!({"url": ""}), "url"),
        (json!({"url": "https://ada:pass@hooks.example.org/"}), "url"),
        (json!({"url": good, "kinds": ["*"]}), "kinds"),
        (json!({"url": good, "kinds": vec!["auth"; 51]}), "kinds"),
        (json!({"url": good, "description": "a".repeat(1001)}), "description"),
        (json!({"url": good, "description": "a\u{0}b"}), "description"),
    ] {
        let refused = ada.post("/webhooks/", &body).await.expect(400).json();
        assert!(refused["errors"][field].is_array(), "{body}: {refused}");
    }
    ada.post("/webhooks/", &json!({"url": good, "secret": "mine"})).await.expect(400);
    ada.post("/webhooks/", &json!({})).await.expect(400);
    ada.get("/webhooks/7/").await.expect(404);
    assert_eq!(ada.get("/webhooks/").await.expect(200).json()["results"], json!([]));

    for _ in 0..50 {
        ada.post("/webhooks/", &json!({"url": good, "kinds": ["nothing.like.it"]})).await.expect(201);
    }
    let refused = ada.post("/webhooks/", &json!({"url": good})).await.expect(409).json();
    assert!(refused["detail"].as_str().unwrap().contains("at most 50"), "{refused}");
    server.stop().await;
}
