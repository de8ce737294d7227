//! A process runs through the three services and a person; a second one fails at its last step
//! and undoes what it did.

use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

use super::client::{Client, Question};
use super::story::{Failure, MANAGER, ORGANIZATION, PASSWORD, PATCH, POST, Story, ask, number, rows, text};

const ONBOARDING: &str = include_str!("../../../examples/templates/onboarding.yaml");
/// The account that undoes, as the template names it.
const JANITOR: &str = "janitor";
/// The group whose members approve, as the template names it.
const MANAGERS: &str = "Managers";
const APPROVED: &str = r#"{"data": {"approved": true, "note": "welcome"}}"#;
/// When both customers are to be called.
const CALL: [&str; 2] = ["2030-01-07T09:00:00Z", "2030-01-07T09:30:00Z"];

impl Story<'_> {
    pub(super) async fn processes(&mut self) -> Result<(), Failure> {
        self.prepare_onboarding().await?;
        let calendar = calendar(&self.client, &self.admin).await?;
        self.approved(&calendar).await?;
        self.undone(&calendar).await?;
        self.killed().await
    }

    /// What a process through the services needs: somebody who approves, an account that
    /// undoes, and the template.
    pub(super) async fn prepare_onboarding(&mut self) -> Result<(), Failure> {
        let admin = self.admin.clone();
        let groups = self.quietly(Question::get("/coregroups/", &admin), &[200]).await?;
        let group = |name: &str| rows(&groups).iter().find(|group| is(group, "name", name)).cloned();
        let managers = match group(MANAGERS) {
            Some(managers) => managers,
            None => {
                let new = json!({
                    "name": MANAGERS, "organization": self.organization, "is_org_level": true,
                    "permissions": {"create": false, "read": true, "update": false, "delete": false},
                });
                self.quietly(Question::json(POST, "/coregroups/", Some(&admin), &new), &[201]).await?
            }
        };
        let registration = json!({
            "username": MANAGER, "email": "grace@example.org", "password": PASSWORD,
            "first_name": "Grace", "last_name": "Hopper", "organization_name": ORGANIZATION,
        });
        self.quietly(Question::json(POST, "/coreuser/", None, &registration), &[201, 400]).await?;
        let users = self.quietly(Question::get("/coreuser/", &admin), &[200]).await?;
        let manager = rows(&users).iter().find(|user| is(user, "username", MANAGER));
        let manager = number(manager.ok_or_else(|| Failure::new("the manager is not in the list"))?, "id")?;
        let change = json!({"is_active": true, "core_groups": [number(&managers, "id")?]});
        let path = format!("/coreuser/{manager}/");
        self.quietly(Question::json(PATCH, &path, Some(&admin), &change), &[200]).await?;
        self.manager = self.sign_in(None, MANAGER).await?;

        let accounts = self.quietly(Question::get("/service_accounts/", &admin), &[200]).await?;
        if !rows(&accounts).iter().any(|account| is(account, "name", JANITOR)) {
            let admins = group("Admins").ok_or_else(|| Failure::new("there is no group of admins"))?;
            let account = json!({
                "name": JANITOR, "description": "undoes what failed runs did", "groups": [text(&admins, "uuid")?],
            });
            self.quietly(Question::json(POST, "/service_accounts/", Some(&admin), &account), &[201]).await?;
        }
        let publish = Question {
            method: POST,
            path: "/workflow/templates/?publish=true",
            token: Some(&admin),
            content_type: "application/yaml",
            body: ONBOARDING.to_owned(),
        };
        self.step("A process through the three services is checked and published", publish, &[201]).await?;
        Ok(())
    }

    async fn approved(&mut self, calendar: &str) -> Result<(), Failure> {
        let (admin, manager) = (self.admin.clone(), self.manager.clone());
        let start = Customer::new("Bob Newcomer", "bob").start(calendar);
        let question = Question::json(POST, "/workflow/runs/", Some(&admin), &start);
        let run = text(&self.step("The admin starts it for a new customer", question, &[201]).await?, "id")?;
        let task = open_task(&self.client, &manager, &run).await?;
        let inbox = format!("/workflow/tasks/?mine=true&run={run}");
        let question = Question::get(&inbox, &manager);
        self.step("It has made a contact, and waits for a person: a manager's inbox", question, &[200])
            .await?;
        let path = format!("/workflow/tasks/{task}/complete/");
        let approval = Question {
            body: APPROVED.to_owned(),
            ..Question::json(POST, &path, Some(&manager), &Value::Null)
        };
        self.step("Somebody else than who started it approves", approval, &[200]).await?;
        let path = format!("/workflow/runs/{run}/?wait=30");
        let ended = self
            .step(
                "The run completes: contact, letter and first call are there",
                Question::get(&path, &admin),
                &[200],
            )
            .await?;
        expect_status(&ended, "completed")?;
        self.draw("How it went", &run).await
    }

    async fn undone(&mut self, calendar: &str) -> Result<(), Failure> {
        let (admin, manager) = (self.admin.clone(), self.manager.clone());
        let customer = Customer::new("Eve Latecomer", "eve");
        let question = Question::json(POST, "/workflow/runs/", Some(&admin), &customer.start(calendar));
        let title = "A second customer, to be called at the same time";
        let run = text(&self.step(title, question, &[201]).await?, "id")?;
        let task = open_task(&self.client, &manager, &run).await?;
        approve(&self.client, &manager, &task).await?;
        let path = format!("/workflow/runs/{run}/?wait=30");
        let title = "The last step is refused, the time is taken: what the run did is undone";
        let ended = self.step(title, Question::get(&path, &admin), &[200]).await?;
        expect_status(&ended, "compensated")?;
        self.draw("How it went back", &run).await?;
        let began = Instant::now();
        let left = customer.made(&self.client, &admin, &run).await?;
        let facts = json!({"contacts": left.contacts, "letters": left.letters});
        self.narrator.fact("Nothing is left of it in the services", &facts, began.elapsed())?;
        if left != (Made { contacts: 0, letters: 0, calls: 0 }) {
            return Err(Failure::new(format!("what was done is not undone: {left:?}")));
        }
        Ok(())
    }

    async fn draw(&mut self, title: &str, run: &str) -> Result<(), Failure> {
        let began = Instant::now();
        let path = format!("/workflow/runs/{run}/picture/?format=text");
        let picture = self.quietly(Question::get(&path, &self.admin), &[200]).await?;
        let lines: Vec<&str> = picture.as_str().unwrap_or_default().lines().collect();
        self.narrator.fact(title, &json!({"levels": lines}), began.elapsed())?;
        Ok(())
    }
}

/// Somebody to be onboarded; another one each time that the story is told.
pub(super) struct Customer {
    name: &'static str,
    email: String,
}

/// What there is of a customer in the services.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) contacts: usize,
    pub(super) letters: usize,
    pub(super) calls: usize,
}

impl Customer {
    pub(super) fn new(name: &'static str, mailbox: &str) -> Self {
        Self { name, email: format!("{mailbox}.{}@example.org", Uuid::now_v7().simple()) }
    }

    /// The body that starts a run.
    pub(super) fn start(&self, calendar: &str) -> Value {
        let [starts, ends] = CALL;
        json!({"template": "onboarding", "business_key": self.email, "input": {
            "name": self.name, "email": self.email, "calendar": calendar, "starts": starts, "ends": ends,
        }})
    }

    pub(super) async fn made(&self, client: &Client, token: &str, run: &str) -> Result<Made, Failure> {
        let contacts = list(client, token, &format!("/crm/contacts/?email={}", self.email)).await?;
        let letters = list(client, token, &format!("/documents/documents/?reference={run}")).await?;
        let mut calls = 0;
        for contact in &contacts {
            let path = format!("/appointments/appointments/?contact={}", text(contact, "id")?);
            calls += list(client, token, &path).await?.len();
        }
        Ok(Made { contacts: contacts.len(), letters: letters.len(), calls })
    }
}

async fn list(client: &Client, token: &str, path: &str) -> Result<Vec<Value>, Failure> {
    Ok(rows(&ask(client, Question::get(path, token), &[200]).await?).to_vec())
}

/// A calendar without any appointment.
pub(super) async fn calendar(client: &Client, token: &str) -> Result<String, Failure> {
    let calendar = json!({"name": "First calls", "time_zone": "America/Edmonton"});
    let question = Question::json(POST, "/appointments/calendars/", Some(token), &calendar);
    text(&ask(client, question, &[201]).await?, "id")
}

/// The task of a run that waits for its approval, once it does.
pub(super) async fn open_task(client: &Client, token: &str, run: &str) -> Result<String, Failure> {
    const LOOKS_MAX: u32 = 600;
    let path = format!("/workflow/tasks/?mine=true&status=open&run={run}");
    for _ in 0..LOOKS_MAX {
        if let Some(task) = list(client, token, &path).await?.first() {
            return text(task, "id");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Failure::new(format!("run {run} does not come to the approval")))
}

/// The run as it is right after the approval.
pub(super) async fn approve(client: &Client, token: &str, task: &str) -> Result<Value, Failure> {
    let path = format!("/workflow/tasks/{task}/complete/");
    let question =
        Question { body: APPROVED.to_owned(), ..Question::json(POST, &path, Some(token), &Value::Null) };
    ask(client, question, &[200]).await
}

pub(super) fn expect_status(run: &Value, expected: &str) -> Result<(), Failure> {
    if is(run, "status", expected) {
        return Ok(());
    }
    Err(Failure::new(format!("expected that the run is {expected}: {run}")))
}

fn is(row: &Value, field: &str, value: &str) -> bool {
    row.get(field).and_then(Value::as_str) == Some(value)
}
