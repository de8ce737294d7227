//! Buildly inside a program that opens no socket: people, rights, two services, joined records
//! and a process through both, on one SQLite file.
//!
//! ```sh
//! cargo run -p example-embedded-headless
//! ```
#![expect(clippy::print_stdout, reason = "an example tells what it does")]

mod shelf;
mod sockets;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use buildly_core::auth::identity::{
    GroupKey, GroupUpdate, NewSuperuser, OrganizationUpdate, ProfileUpdate, Registration,
};
use buildly_core::auth::{Decision, Resource};
use buildly_core::gateway;
use buildly_core::mesh::{JoinRecordInput, Key, RecordTypeInput, RelationshipInput};
use buildly_core::model::{Action, Actions, Body, Principal, RunId, Secret, ServiceId};
use buildly_core::workflow::template::{Level, Retry, Template};
use buildly_core::workflow::{StartRun, StoredTask, TaskFilter, TaskStatus};
use buildly_core::{Buildly, UnitOfWork};
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request};
use serde_json::{Value, json};
use shelf::Shelf;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const PASSWORD: &str = "Correct-horse-9-battery";
/// No answer of this example is larger.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Nothing in this example takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<()> {
    let folder = Folder::new()?;
    let buildly = Buildly::open(folder.path()).await?;
    println!("Opened {}: a SQLite file, and keys.", folder.path().display());
    let done = story(&buildly).await;
    buildly.close().await;
    done
}

async fn story(buildly: &Buildly) -> Result<()> {
    let (ada, ada_token) = founder(buildly).await?;
    let contacts = service(buildly, &ada, "crm", "contact").await?;
    let documents = service(buildly, &ada, "archive", "document").await?;
    let (grace, grace_token) = manager(buildly, &ada, [contacts, documents]).await?;
    rights(buildly, &grace, documents).await;
    joined_page(buildly, &ada, &ada_token, &grace_token).await?;
    process(buildly, &ada, &grace).await?;
    together(buildly, &ada).await?;
    audit(buildly).await?;
    if let Some(sockets) = sockets::count() {
        println!("All this went through {sockets} sockets of the network.");
    }
    Ok(())
}

/// The first administrator, with an organization, who then signs in as anybody does.
async fn founder(buildly: &Buildly) -> Result<(Principal, Secret)> {
    let founder = NewSuperuser {
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        organization_name: "Acme".to_owned(),
    };
    buildly.auth().create_superuser(&founder).await?;
    let (principal, token) = sign_in(buildly, "ada").await?;
    println!("Ada has founded Acme and signed in.");
    Ok((principal, token))
}

/// A password becomes an access token, and a token a principal: who is asking, as proven.
async fn sign_in(buildly: &Buildly, username: &str) -> Result<(Principal, Secret)> {
    let issued = buildly.auth().open_session(username, &Secret::new(PASSWORD), None).await?;
    let principal = buildly.auth().authenticate(issued.access_token.expose()).await?;
    Ok((principal, issued.access_token))
}

/// A service in this process: a handler stands where a socket would be.
async fn service(buildly: &Buildly, ada: &Principal, name: &str, kind: &'static str) -> Result<ServiceId> {
    let host = format!("{name}.localhost");
    buildly.attach_service(&host, Arc::new(Shelf::new(kind, buildly.auth().clone())));
    let registration = gateway::Registration {
        name: Some(name.to_owned()),
        endpoint: Some(format!("http://{host}")),
        ..gateway::Registration::default()
    };
    let service = buildly.gateway().register(ada, registration).await?;
    buildly.gateway().refresh_specification(ada, service.id, None).await?;
    println!("Service `{name}` is registered; it answers inside this process.");
    Ok(service.id)
}

/// A second person, who may read and create, and nothing else.
async fn manager(
    buildly: &Buildly,
    ada: &Principal,
    services: [ServiceId; 2],
) -> Result<(Principal, Secret)> {
    let auth = buildly.auth();
    let managers = GroupUpdate {
        name: Some("Managers".to_owned()),
        organization: ada.organization,
        is_organization_level: Some(true),
        permissions: Some(Actions::NONE.with(Action::Read).with(Action::Create)),
        ..GroupUpdate::default()
    };
    let managers = auth.create_group(ada, &managers).await?;
    for service in services {
        auth.set_service_groups(ada, service, &[GroupKey::Id(managers.id)]).await?;
    }
    let registration = Registration {
        username: "grace".to_owned(),
        email: String::new(),
        password: Secret::new(PASSWORD),
        organization_name: "Acme".to_owned(),
        profile: ProfileUpdate::default(),
        invitation: None,
        groups: vec![GroupKey::Id(managers.id)],
    };
    auth.register(ada, &registration).await?;
    println!("Ada has made the group Managers, and Grace a member of it.");
    sign_in(buildly, "grace").await
}

/// What somebody may, with the rule that decided. It is a look into memory: nothing waits.
async fn rights(buildly: &Buildly, grace: &Principal, documents: ServiceId) {
    let snapshot = buildly.snapshot();
    for action in [Action::Read, Action::Delete] {
        match snapshot.auth.check(grace, action, Resource::Service(documents)) {
            Decision::Allow(reason) => println!("Grace may {} documents: {reason}.", action.name()),
            Decision::Deny(reason) => println!("Grace may not {} documents: {reason}.", action.name()),
        }
    }
}

/// Records of two services in one answer, under the caller's own rights.
async fn joined_page(
    buildly: &Buildly,
    ada: &Principal,
    ada_token: &Secret,
    grace_token: &Secret,
) -> Result<()> {
    let contact = json!({"name": "Bob"});
    let contact = ask(buildly, ada_token, Method::POST, "/crm/contacts/", Some(&contact)).await?;
    let offer = json!({"title": "Offer to Bob"});
    let offer = ask(buildly, ada_token, Method::POST, "/archive/documents/", Some(&offer)).await?;
    let mesh = buildly.mesh();
    let declare = |service: &str, kind: &str| RecordTypeInput {
        service: service.to_owned(),
        model: kind.to_owned(),
        endpoint: format!("/{kind}s/"),
        key_field: "id".to_owned(),
        is_local: false,
    };
    let origin = mesh.create_record_type(ada, declare("crm", "contact")).await?;
    let related = mesh.create_record_type(ada, declare("archive", "document")).await?;
    let relationship = RelationshipInput {
        key: "documents".to_owned(),
        origin: origin.id,
        related: related.id,
        foreign_key: None,
    };
    mesh.create_relationship(ada, relationship).await?;
    let link = JoinRecordInput {
        origin_type: origin.full_name(),
        related_type: related.full_name(),
        origin: key_of(&contact)?,
        related: key_of(&offer)?,
    };
    mesh.create_join_record(ada, link).await?;
    let page = ask(buildly, grace_token, Method::GET, "/crm/contacts/?join", None).await?;
    let documents = page.pointer("/results/0/documents").unwrap_or(&Value::Null);
    println!("Grace reads contacts with their documents: {documents}");
    Ok(())
}

/// A process through both services and a person; it would survive the end of this program.
async fn process(buildly: &Buildly, ada: &Principal, grace: &Principal) -> Result<()> {
    let workflow = buildly.workflow();
    let template = Template::new(
        "onboarding",
        [
            Level::call("contact", "crm.create_contact")
                .body("{'name': input.name}")
                .retry(Retry::attempts(3)),
            Level::task("approve").group("Managers"),
            Level::call("contract", "archive.create_document")
                .body("{'title': 'Contract with ' + input.name, 'contact': levels.contact.id}"),
        ],
    );
    workflow.save_draft(ada, &template).await?;
    let published = workflow.publish(ada, "onboarding", None).await?;
    println!("Version {} of the template `onboarding` is published.", published.version);
    let start = StartRun {
        template: "onboarding".to_owned(),
        input: json!({"name": "Carol"}),
        ..StartRun::default()
    };
    let run = workflow.start(ada, start).await?.summary.id;
    let task = open_task(buildly, grace, run).await?;
    println!("The run waits for a person: Grace finds `{}` in her inbox.", task.level);
    workflow.complete_task(grace, run, task.activation, json!({"approved": true})).await?;
    let ended = workflow.wait(ada, run, PATIENCE).await?;
    println!("Grace approves. The run is {}.", ended.summary.status);
    let history = workflow.history(ada, run, 0, 100).await?;
    println!("Its history has {} events.", history.len());
    Ok(())
}

/// Commands of all areas in one commit: all of it is there, or nothing.
async fn together(buildly: &Buildly, ada: &Principal) -> Result<()> {
    match buildly.atomically(ada, customer("offboarding")).await {
        Ok(_) => return Err("a template that nobody has published was taken".into()),
        Err(error) => println!("One command does not fit, so nothing is written: {error}."),
    }
    let written = buildly.atomically(ada, customer("onboarding")).await?;
    let (links, runs) = (written.links.len(), written.runs.len());
    println!("One commit: an organization, its group, a route, {links} link and {runs} run.");
    Ok(())
}

/// What a new customer needs. Nothing is asked or written yet; what a command makes has its id at
/// once, so that the next one can name it.
fn customer(template: &str) -> UnitOfWork {
    let mut unit = UnitOfWork::new();
    let globex = unit.create_organization(OrganizationUpdate {
        name: Some("Globex".to_owned()),
        ..OrganizationUpdate::default()
    });
    let auditors = unit.create_group(GroupUpdate {
        name: Some("Auditors".to_owned()),
        organization: Some(globex),
        is_organization_level: Some(true),
        ..GroupUpdate::default()
    });
    let ledger = gateway::Registration {
        name: Some("ledger".to_owned()),
        endpoint: Some("http://ledger.localhost".to_owned()),
        ..gateway::Registration::default()
    };
    unit.register_service(ledger, [GroupKey::Id(auditors)]);
    unit.link_records(JoinRecordInput {
        origin_type: "crmcontact".to_owned(),
        related_type: "archivedocument".to_owned(),
        origin: Key::Integer(2),
        related: Key::Integer(2),
    });
    unit.start_run(StartRun {
        template: template.to_owned(),
        input: json!({"name": "Dave"}),
        ..StartRun::default()
    });
    unit
}

/// The task of a run, once there is one.
async fn open_task(buildly: &Buildly, grace: &Principal, run: RunId) -> Result<StoredTask> {
    let filter = TaskFilter { run: Some(run), status: Some(TaskStatus::Open), doer: None };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut seen = 0;
    while tokio::time::Instant::now() < deadline {
        let tasks = buildly.workflow().tasks(grace, &filter, true, None, 1).await?;
        if let Some(task) = tasks.rows.into_iter().next() {
            return Ok(task);
        }
        let operator = buildly.auth().operator().await?;
        seen = buildly.workflow().changed(&operator, run, seen, PATIENCE).await?.version;
    }
    Err("no task came".into())
}

/// Every change stands in a journal whose events are chained: it proves itself.
async fn audit(buildly: &Buildly) -> Result<()> {
    let verified = buildly.journal().verify().await?;
    if !verified.broken.is_empty() {
        return Err("the journal does not hold".into());
    }
    println!("The journal holds: {} events in {} chains.", verified.events, verified.chains);
    Ok(())
}

/// Sends a request through the gateway as any client would, but by a call.
async fn ask(
    buildly: &Buildly,
    token: &Secret,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Result<Value> {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "localhost")
        .header(AUTHORIZATION, format!("Bearer {}", token.expose()))
        .body(body)?;
    let answer = buildly.handle(request).await;
    let status = answer.status();
    let bytes = answer.into_body().collect(ANSWER_BYTES_MAX).await?;
    if !status.is_success() {
        return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&bytes)).into());
    }
    Ok(serde_json::from_slice(&bytes)?)
}

fn key_of(record: &Value) -> Result<Key> {
    record.get("id").and_then(Key::of_value).ok_or_else(|| "the record has no id".into())
}

/// A data folder of this run alone, removed at the end. Yours would stay where it is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("embedded-headless-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _stays_if_it_must = std::fs::remove_dir_all(&self.0);
    }
}
