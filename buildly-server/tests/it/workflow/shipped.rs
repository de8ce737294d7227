//! The templates in `examples/templates/`, each run through the real services.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use buildly_kit::{DatabaseAddress, Declaration, KeySource, Settings, TokenSettings, Tokens};
use buildly_model::system::System;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::people::member;
use super::{World, hire_janitor, on_both};
use crate::client::Client;

on_both!(
    a_customer_is_onboarded_or_everything_is_undone,
    an_expense_is_approved_by_who_its_amount_asks_for,
    a_document_goes_round_until_everybody_accepts,
);

/// The three services, each on a port and a file of its own.
struct Services {
    folder: PathBuf,
    tasks: Vec<JoinHandle<()>>,
}

impl Services {
    async fn start(world: &World) -> Self {
        let folder = std::env::temp_dir().join(format!("buildly-shipped-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let documents =
            buildly_documents::declaration(&folder, buildly_documents::Limits::default()).unwrap();
        let mut services = Self { folder, tasks: Vec::new() };
        services.add(world, "crm", buildly_crm::declaration()).await;
        services.add(world, "documents", documents).await;
        services.add(world, "appointments", buildly_appointments::declaration()).await;
        services
    }

    async fn add(&mut self, world: &World, name: &str, declaration: Declaration) {
        let keys = KeySource::parse(&world.server.client.url("/.well-known/jwks.json")).unwrap();
        let tokens = TokenSettings { keys, issuer: None, introspection: None };
        let database = DatabaseAddress::File(self.folder.join(format!("{name}.db")));
        let settings = Settings::new(database, Arc::new(Tokens::new(tokens, Arc::new(System))));
        let service = declaration.open(settings).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        self.tasks.push(tokio::spawn(buildly_kit::serve(service, listener, std::future::pending())));
        let service =
            json!({"name": name, "endpoint": endpoint, "endpoint_name": name, "docs_endpoint": "docs"});
        world.root.post("/logicmodule/", &service).await.expect(201);
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        let _gone_already = std::fs::remove_dir_all(&self.folder);
    }
}

async fn publish(world: &World, name: &str) {
    let path = format!("{}/../examples/templates/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let request = http::Request::post(world.root.url("/workflow/templates/?publish=true"))
        .header("content-type", "application/yaml");
    let answer = world.root.request(request.body(text.into()).unwrap()).await.expect(201).json();
    assert_eq!((&answer["name"], &answer["status"]), (&json!(name), &json!("published")));
}

/// The open task of a run that somebody may do, once it is there.
async fn task(of: &Client, run: &str) -> Value {
    for _ in 0..600 {
        let path = format!("/workflow/tasks/?mine=true&status=open&run={run}");
        let open = of.get(&path).await.expect(200).json();
        if let Some(task) = open["results"].as_array().unwrap().first() {
            return task.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody is asked in run {run}");
}

async fn complete(by: &Client, run: &str, data: Value) {
    let id = task(by, run).await["id"].as_str().unwrap().to_owned();
    by.post(&format!("/workflow/tasks/{id}/complete/"), &json!({"data": data})).await.expect(200);
}

async fn count(world: &World, list: &str) -> usize {
    world.root.get(list).await.expect(200).json()["results"].as_array().unwrap().len()
}

async fn a_customer_is_onboarded_or_everything_is_undone(world: World) {
    let _services = Services::start(&world).await;
    let mary = member(&world, "mary", Some("Managers")).await;
    hire_janitor(&world.root).await;
    publish(&world, "onboarding").await;
    let calendar = json!({"name": "Calls", "time_zone": "Europe/Berlin"});
    let calendar =
        world.root.post("/appointments/calendars/", &calendar).await.expect(201).json()["id"].clone();
    let customer = |name: &str, starts: &str, ends: &str| json!({"name": name, "email": format!("{name}@example.org"), "calendar": calendar, "starts": starts, "ends": ends});
    let (nine, ten) = ("2030-01-07T09:00:00Z", "2030-01-07T10:00:00Z");

    let run = world.start("onboarding", customer("bob", nine, ten)).await;
    assert_eq!(task(&mary, &run).await["show"]["name"], "bob");
    complete(&mary, &run, json!({"approved": true, "note": "welcome"})).await;
    let made = world.until(&run, "completed").await["result"].clone();
    for path in [
        format!("/crm/contacts/{}/", made["contact"].as_str().unwrap()),
        format!("/documents/documents/{}/", made["letter"].as_str().unwrap()),
        format!("/appointments/appointments/{}/", made["call"].as_str().unwrap()),
    ] {
        world.root.get(&path).await.expect(200);
    }

    let run = world.start("onboarding", customer("eve", nine, ten)).await;
    complete(&mary, &run, json!({"approved": true})).await;
    let undone = world.until(&run, "compensated").await;
    assert!(undone.to_string().contains("409"), "the time is taken: {undone}");
    assert_eq!(count(&world, "/crm/contacts/?email=eve@example.org").await, 0);
    assert_eq!(count(&world, &format!("/documents/documents/?reference={run}")).await, 0);

    let run = world.start("onboarding", customer("dan", ten, "2030-01-07T11:00:00Z")).await;
    complete(&mary, &run, json!({"approved": false})).await;
    world.until(&run, "completed").await;
    assert_eq!(count(&world, "/crm/contacts/?email=dan@example.org").await, 1, "the contact stays");
    assert_eq!(count(&world, "/appointments/appointments/").await, 1);
    world.stop().await;
}

async fn an_expense_is_approved_by_who_its_amount_asks_for(world: World) {
    let _services = Services::start(&world).await;
    let mary = member(&world, "mary", Some("Managers")).await;
    let max = member(&world, "max", Some("Managers")).await;
    hire_janitor(&world.root).await;
    publish(&world, "expense_approval").await;
    let expense = |amount: f64| json!({"title": "Train", "amount": amount, "currency": "EUR"});
    let filed = |run: &str| format!("/documents/documents/?category=expense&reference={run}");

    let small = world.run("expense_approval", expense(20.0)).await;
    assert_eq!(small["status"], "completed", "{small}");
    assert_eq!(count(&world, &filed(small["id"].as_str().unwrap())).await, 1);

    for (approved, documents) in [(true, 1), (false, 0)] {
        let run = world.start("expense_approval", expense(500.0)).await;
        task(&mary, &run).await;
        world.root.post("/workflow/signals/", &json!({"run": run, "name": "remind"})).await.expect(202);
        complete(&mary, &run, json!({"approved": approved})).await;
        world.until(&run, "completed").await;
        assert_eq!(count(&world, &filed(&run)).await, documents, "approved: {approved}");
    }

    let run = world.start("expense_approval", expense(9_000.0)).await;
    complete(&mary, &run, json!({"approved": true})).await;
    complete(&max, &run, json!({"approved": true})).await;
    world.until(&run, "completed").await;
    assert_eq!(count(&world, &filed(&run)).await, 1);
    world.stop().await;
}

async fn a_document_goes_round_until_everybody_accepts(world: World) {
    let _services = Services::start(&world).await;
    let mary = member(&world, "mary", None).await;
    let max = member(&world, "max", None).await;
    publish(&world, "document_review").await;
    let document = json!({"title": "Plan", "category": "draft"});
    let document = world.root.post("/documents/documents/", &document).await.expect(201).json()["id"].clone();
    let input = json!({"document": document, "reviewers": ["mary", "max"]});
    let run = world.start("document_review", input).await;
    complete(&mary, &run, json!({"accept": true})).await;
    complete(&max, &run, json!({"accept": false, "comment": "too long"})).await;
    let revise = task(&world.root, &run).await;
    assert_eq!(revise["show"]["comments"], json!(["too long"]), "{revise}");
    complete(&world.root, &run, json!({})).await;
    for reviewer in [&max, &mary] {
        complete(reviewer, &run, json!({"accept": true})).await;
    }
    world.until(&run, "completed").await;
    let path = format!("/documents/documents/{}/", document.as_str().unwrap());
    assert_eq!(world.root.get(&path).await.expect(200).json()["category"], "reviewed");
    world.stop().await;
}
