//! How soon a server answers, what it holds while nothing happens, and how what one request costs
//! grows with a hundred times the data.
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use benches::ours::{Beginning, Database, Ours, PASSWORD};
use benches::report::{Figure, Report};
use benches::seed::{Shape, username};
use benches::tokens::Issuer;
use benches::upstream::Upstream;
use benches::wire::{self, Questions, Right, Until};
use benches::{Failure, settings, start, usage};
use buildly_auth::identity::PasswordHash;
use buildly_auth::identity::password::Hasher;
use buildly_model::Secret;
use buildly_model::system::System;
use serde_json::json;

/// Few and many: a hundred times.
const PEOPLE: [u32; 2] = [1_000, 100_000];
/// Records of one kind, few and many.
const RECORDS: [u32; 2] = [200, 20_000];
/// So long nobody asks for anything before memory is looked at.
const IDLE: Duration = Duration::from_secs(5);
/// Requests of one connection: nothing waits in a queue.
const AT_ONCE: usize = 4;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    start::run_beside_one_core(bench())
}

async fn bench() -> Result<(), Failure> {
    let mut report = Report::default();
    with_demo_data(&mut report).await?;
    let password = Hasher::new(std::sync::Arc::new(System)).hash(&Secret::new(PASSWORD)).await;
    let password = password.map_err(Failure::http)?;
    let upstream = Upstream::start().await?;
    let mut costs = Vec::new();
    for users in PEOPLE {
        costs.push(with_people(&mut report, users, &password, &upstream).await?);
    }
    growth(&mut report, &format!("{} users", PEOPLE[1]), &costs);
    let mut costs = Vec::new();
    for records in RECORDS {
        costs.push(with_records(records).await?);
    }
    growth(&mut report, &format!("{} records", RECORDS[1]), &costs);
    report.end();
    Ok(())
}

/// One kind of request, and what it cost.
type Costs = Vec<(&'static str, Figure)>;

fn growth(report: &mut Report, what: &str, costs: &[Costs]) {
    let [few, many] = costs else { return };
    for ((name, few), (_, many)) in few.iter().zip(many) {
        let ratio = few.cpu_us.zip(many.cpu_us).map_or(f64::NAN, |(few, many)| few / many);
        report.compared(
            &format!("{name}, at {what}"),
            many,
            "ours with a hundredth of that",
            few,
            ratio,
            None,
        );
    }
}

async fn with_demo_data(report: &mut Report) -> Result<(), Failure> {
    let ours = Ours::with_demo_data().await?;
    let took = ours.1;
    tokio::time::sleep(IDLE).await;
    let name = "start with the demo's data, until it answers | idle memory after 5 s";
    let idle = usage::resident_mib(ours.0.process());
    report.alone(name, &format!("{} ms, {idle:.1} MiB", took.as_millis()));
    ours.0.stop().await
}

/// Start, memory and requests with so many people in one organization.
async fn with_people(
    report: &mut Report,
    users: u32,
    password: &PasswordHash,
    upstream: &Upstream,
) -> Result<Costs, Failure> {
    let (shape, issuer) = (Shape::of(users), Issuer::new()?);
    let people = Some((shape, password.clone(), issuer.changes()));
    let mut ours = Ours::begin(Beginning { database: Database::Sqlite, people, has_one_core: true }).await?;
    ours.register("crm", upstream.port(), "customers/openapi.json").await?;
    ours.put("/gateway/rate-limits/", &json!({"principal": null})).await?;
    let took = ours.kill_and_start().await?;
    tokio::time::sleep(IDLE).await;
    let idle = usage::resident_mib(ours.process());
    let path = "/crm/customers/3/";
    let request = wire::get(path, Some(&issuer.token(7, shape)?));
    let began = Instant::now();
    let (status, answer) = wire::ask(ours.address()?, &request).await?;
    if status != 200 {
        return Err(Failure::Wrong { expected: "200", got: status.to_string() });
    }
    let first = began.elapsed().as_secs_f64() * 1e3;
    tokio::time::sleep(IDLE).await;
    let loaded = usage::resident_mib(ours.process());
    report.alone(
        &format!("start with {users} users, until it answers | idle memory after 5 s"),
        &format!("{} ms, {idle:.1} MiB", took.as_millis()),
    );
    report.alone(
        &format!("first request into the organization of {users} users, which loads it | memory then"),
        &format!("{first:.1} ms, {loaded:.1} MiB"),
    );
    let measure = async |requests, answer| {
        let (address, process) = (ours.address()?, ours.process());
        let questions = Questions { address, requests, answer, process };
        right(wire::measure(questions, AT_ONCE, Until::Time(settings::seconds_each())).await?)
    };
    // Of many people: what is remembered of one would not grow.
    let tokens = issuer.tokens(1_000, users, shape)?;
    let through = tokens.iter().map(|token| wire::get(path, Some(token))).collect();
    let sign_in = |number| json!({"username": username(number), "password": PASSWORD}).to_string();
    let sign_ins = (0..1_000).map(|number| wire::post("/token/", None, &sign_in(number * (users / 1_000))));
    let me = tokens.iter().map(|token| wire::get("/coreuser/me/", Some(token))).collect();
    let costs = vec![
        ("a request through the gateway", measure(through, Right::Is(answer)).await?),
        ("a read of the own profile", measure(me, Right::Holds("\"username\":")).await?),
        ("a sign-in", measure(sign_ins.collect(), Right::Holds("\"access\":")).await?),
    ];
    ours.stop().await?;
    Ok(costs)
}

/// Requests to a service with so many records.
async fn with_records(records: u32) -> Result<Costs, Failure> {
    let ours =
        Ours::begin(Beginning { database: Database::Sqlite, people: None, has_one_core: false }).await?;
    ours.put("/gateway/rate-limits/", &json!({"principal": null})).await?;
    let crm = ours.run_service("crm").await?;
    let token = ours.sign_in("root").await?;
    let contact = |number: u32| {
        let body = json!({"name": format!("Contact {number:06}"), "email": format!("c{number}@example.org")});
        wire::post("/crm/contacts/", Some(&token), &body.to_string())
    };
    let (address, process) = (ours.address()?, crm.id().unwrap_or_default());
    let questions = |requests, answer| Questions { address, requests, answer, process };
    let made = Right::Holds("\"id\":");
    let requests = (0..records).map(contact).collect();
    right(wire::measure(questions(requests, made.clone()), 32, Until::AllAsked).await?)?;
    let (_, page) = wire::ask(address, &wire::get("/crm/contacts/?limit=20", Some(&token))).await?;
    let page: serde_json::Value = serde_json::from_slice(&page).map_err(Failure::http)?;
    let id = page.pointer("/results/0/id").and_then(serde_json::Value::as_str).unwrap_or_default();
    let measure = async |requests, answer, until| {
        right(wire::measure(questions(requests, answer), AT_ONCE, until).await?)
    };
    let time = Until::Time(settings::seconds_each());
    let one = vec![wire::get(&format!("/crm/contacts/{id}/"), Some(&token))];
    let list = vec![wire::get("/crm/contacts/?limit=20", Some(&token))];
    let more = (records..records + 1_000).map(contact).collect();
    let costs = vec![
        ("a record of the CRM", measure(one, Right::Holds(ID), time).await?),
        ("a page of 20 records of the CRM", measure(list, Right::Holds(ID), time).await?),
        ("a record created in the CRM", measure(more, made, Until::AllAsked).await?),
    ];
    drop(crm);
    ours.stop().await?;
    Ok(costs)
}

const ID: &str = "\"id\":";

fn right(figure: Figure) -> Result<Figure, Failure> {
    if figure.bad > 0 || figure.rate == 0.0 {
        return Err(Failure::Wrong { expected: "right answers only", got: figure.to_string() });
    }
    Ok(figure)
}
