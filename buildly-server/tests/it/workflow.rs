//! Workflows over HTTP, on both databases: services called, people asked, what happened undone.

mod bad_input;
mod calls;
mod command;
mod crash;
mod events;
mod ledger;
mod levels;
mod lint;
mod nodes;
mod people;
mod shipped;
mod steering;

use std::time::Duration;

use buildly_core::workflow::{Event, RunEvent, State};
use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::TestServer;
use ledger::Ledger;

/// A server, a service to call, and people of one organization.
pub struct World {
    pub server: TestServer,
    pub ledger: Ledger,
    /// A superuser of `Acme`, and administrator of it.
    pub root: Client,
}

impl World {
    async fn on(server: TestServer) -> Self {
        let ledger = Ledger::start().await;
        let root = server.superuser("root", "Acme").await;
        register(&root, &ledger.url).await;
        Self { server, ledger, root }
    }

    /// Publishes a template of these levels.
    pub async fn publish(&self, name: &str, levels: Value) {
        publish(&self.root, &json!({"name": name, "levels": levels})).await;
    }

    /// Starts a run and waits until it ends, for half a minute at most.
    pub async fn run(&self, template: &str, input: Value) -> Value {
        let body = json!({"template": template, "input": input});
        self.root.post("/workflow/runs/?wait=30", &body).await.expect(201).json()
    }

    /// Starts a run.
    pub async fn start(&self, template: &str, input: Value) -> String {
        let body = json!({"template": template, "input": input});
        let run = self.root.post("/workflow/runs/", &body).await.expect(201).json();
        run["id"].as_str().unwrap().to_owned()
    }

    /// The run once it stands so.
    pub async fn until(&self, run: &str, status: &str) -> Value {
        until(&self.root, run, status).await
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Registers the ledger as the service `ledger`.
pub async fn register(root: &Client, url: &str) {
    let service =
        json!({"endpoint": url, "endpoint_name": "ledger", "name": "Ledger", "docs_endpoint": "docs"});
    root.post("/logicmodule/", &service).await.expect(201);
}

/// Publishes a template.
pub async fn publish(root: &Client, template: &Value) -> Value {
    root.post("/workflow/templates/?publish=true", template).await.expect(201).json()
}

/// The run once it stands so.
pub async fn until(client: &Client, run: &str, status: &str) -> Value {
    let mut now = Value::Null;
    for _ in 0..600 {
        now = client.get(&format!("/workflow/runs/{run}/")).await.expect(200).json();
        if now["status"] == status {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the run is never {status}: {now}");
}

/// A level that creates an entry, and the level that removes it again.
pub fn entry(name: &str) -> [Value; 2] {
    [create(name), undo(name)]
}

pub fn create(name: &str) -> Value {
    json!({"name": name, "do": {"call": {"operation": "ledger.create", "body": format!("{{'name': '{name}'}}")}},
           "retry": {"attempts": 5, "pause": "50ms"}})
}

pub fn undo(name: &str) -> Value {
    json!({"name": format!("undo_{name}"), "compensates": name, "as": "account:janitor",
           "do": {"call": {"operation": "ledger.remove", "parameters": {"name": format!("levels.{name}.id")}}}})
}

/// A service account that undoes.
pub async fn hire_janitor(root: &Client) {
    root.post("/service_accounts/", &json!({"name": "janitor", "description": "undoes"})).await.expect(201);
}

/// All events of a run fold to its state.
pub async fn check_history(world: &World, run: &str) {
    let buildly = world.server.buildly();
    let auth = buildly.auth();
    let password = buildly_model::Secret::new(crate::harness::PASSWORD);
    let issued = auth.open_session("root", &password, None).await.unwrap();
    let principal = auth.authenticate(issued.access_token.expose()).await.unwrap();
    let id = run.parse().unwrap();
    let events: Vec<RunEvent> = buildly.workflow().history(&principal, id, 0, 1000).await.unwrap();
    let numbers: Vec<u64> = events.iter().map(|event| event.number).collect();
    assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>(), "without gaps");
    let folded = events.iter().fold(State::new(), |state, event| state.apply(&event.event));
    assert_eq!(folded, buildly.workflow().run(&principal, id).await.unwrap().state);
    assert!(events.iter().any(|event| matches!(event.event, Event::Started { .. })));
}

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::workflow::World::on(crate::harness::TestServer::start().await).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let server = crate::harness::TestServer::start_on_postgres().await;
                super::$name(crate::workflow::World::on(server).await).await;
            })*
        }
    };
}
pub(crate) use on_both;
