//! A page of a hundred customers, each with its document and its appointment of two other
//! services: joined by ours, put together by a client, and by Hive Gateway.
#![expect(clippy::print_stdout, reason = "a bench speaks to the terminal")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use benches::ours::{Beginning, Database, Ours};
use benches::peers::Hive;
use benches::report::{Figure, Report, Target};
use benches::upstream::Upstream;
use benches::wire::{self, Connection, Questions, Right, Until};
use benches::{Failure, settings, start, usage};
use http::StatusCode;
use serde_json::{Value, json};

/// So many customers the stub has, each with one of each other kind under its own number.
const CUSTOMERS: u32 = 100;
/// A client that does not ask one thing after the other asks so many at a time.
const CLIENT_AT_ONCE: usize = 8;
/// So many ask for a page at a time.
const AT_ONCE: usize = 8;
/// A third of Hive Gateway's time on the core, or less.
const OF_HIVE: Target = Target::AtLeast(3.0);

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    start::run_beside_one_core(bench())
}

async fn bench() -> Result<(), Failure> {
    let mut report = Report::default();
    let upstream = Upstream::start().await?;
    let ours =
        Ours::begin(Beginning { database: Database::Sqlite, people: None, has_one_core: true }).await?;
    set_up(&ours, &upstream).await?;
    let token = ours.sign_in("root").await?;
    let page = wire::get("/crm/customers/?join", Some(&token));
    let (joined, calls) = page_of(ours.address()?, ours.process(), &page, &upstream, check_ours).await?;
    report.alone("join of 100 customers with 2 services, calls of services", &calls.to_string());

    for (at_once, what) in [(1, "one after the other"), (CLIENT_AT_ONCE, "8 at a time")] {
        let theirs = put_together(&ours, &token, at_once).await?;
        let name = "join of 100 customers with 2 services, one caller";
        let alone = one_caller(ours.address()?, ours.process(), &page).await?;
        let peer = format!("a client by 201 single requests through ours, {what}");
        let ratio = alone.rate / theirs.rate;
        report.compared(name, &alone, &peer, &theirs, ratio, None);
    }
    let name = "join of 100 customers with 2 services, 8 callers";
    if settings::wants("hive") {
        match Hive::start(upstream.port()).await {
            Ok(hive) => {
                let question = Hive::question();
                let (theirs, calls) =
                    page_of(hive.address, hive.process(), &question, &upstream, check_hive).await?;
                println!("{} makes {calls} calls of services", Hive::VERSION);
                let ratio = theirs.cpu_us.zip(joined.cpu_us).map_or(f64::NAN, |(theirs, ours)| theirs / ours);
                report.compared(name, &joined, Hive::VERSION, &theirs, ratio, Some(OF_HIVE));
            }
            Err(error) => report.left_out(Hive::VERSION, &error),
        }
    } else {
        report.alone(name, &joined.to_string());
    }
    ours.stop().await?;
    report.end();
    Ok(())
}

/// Services, record types, relationships, and a link for each pair.
async fn set_up(ours: &Ours, upstream: &Upstream) -> Result<(), Failure> {
    let unlimited = json!({"principal": null});
    ours.put("/gateway/rate-limits/", &unlimited).await?;
    let kinds = [
        (1, "crm", "Customer", "customers"),
        (2, "documents", "Document", "documents"),
        (3, "appointments", "Appointment", "appointments"),
    ];
    let mut models = Vec::new();
    for (place, service, model, path) in kinds {
        ours.register(service, upstream.port_of(place), "docs/swagger.json").await?;
        let body = json!({
            "logic_module_endpoint_name": service, "model": model, "endpoint": format!("/{path}/"),
        });
        let made = ours.post("/datamesh/logicmodulemodels/", &body, StatusCode::CREATED).await?;
        models.push(made.get("logic_module_model_uuid").cloned().unwrap_or_default());
    }
    let customer = models.first().cloned().unwrap_or_default();
    for (related, (_, service, model, path)) in models.iter().zip(kinds).skip(1) {
        let body = json!({"key": path, "origin_model_id": customer, "related_model_id": related});
        ours.post("/datamesh/relationships/", &body, StatusCode::CREATED).await?;
        for number in 1..=CUSTOMERS {
            let body = json!({
                "origin_model_name": "crmCustomer", "related_model_name": format!("{service}{model}"),
                "record_id": number, "related_record_id": number,
            });
            ours.post("/datamesh/joinrecords/", &body, StatusCode::CREATED).await?;
        }
    }
    Ok(())
}

/// The joined page, by eight callers; and how many calls of services one page is.
async fn page_of(
    address: SocketAddr,
    process: u32,
    request: &[u8],
    upstream: &Upstream,
    is_right: fn(&Value) -> bool,
) -> Result<(Figure, u64), Failure> {
    let answer = checked(address, request, is_right).await?;
    upstream.calls().await?;
    wire::ask(address, request).await?;
    let calls = upstream.calls().await?;
    let questions =
        Questions { address, requests: vec![request.to_vec()], answer: Right::Is(answer), process };
    let figure = wire::measure(questions, AT_ONCE, Until::Time(settings::seconds_each())).await?;
    Ok((figure, calls))
}

async fn one_caller(address: SocketAddr, process: u32, request: &[u8]) -> Result<Figure, Failure> {
    let (_, answer) = wire::ask(address, request).await?;
    let questions =
        Questions { address, requests: vec![request.to_vec()], answer: Right::Is(answer), process };
    wire::measure(questions, 1, Until::Time(settings::seconds_each())).await
}

/// The answer, once it is what it should be.
async fn checked(
    address: SocketAddr,
    request: &[u8],
    is_right: fn(&Value) -> bool,
) -> Result<Vec<u8>, Failure> {
    let (status, body) = wire::ask(address, request).await?;
    let page: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status == 200 && is_right(&page) {
        return Ok(body);
    }
    let got: String = String::from_utf8_lossy(&body).chars().take(400).collect();
    Err(Failure::Wrong { expected: "a page of joined records", got: format!("{status} {got}") })
}

fn check_ours(page: &Value) -> bool {
    let first = |customer: &Value, key: &str| customer.get(key)?.as_array()?.first().cloned();
    let rows = page.as_array().map(Vec::as_slice).unwrap_or_default();
    all_joined(rows, |customer| Some((first(customer, "documents")?, first(customer, "appointments")?)))
}

fn check_hive(page: &Value) -> bool {
    let rows = page.pointer("/data/customers_list").and_then(Value::as_array);
    all_joined(rows.map(Vec::as_slice).unwrap_or_default(), |customer| {
        Some((customer.get("document")?.clone(), customer.get("appointment")?.clone()))
    })
}

/// Whether each customer has the document and the appointment of its own number, whole.
fn all_joined(customers: &[Value], related: impl Fn(&Value) -> Option<(Value, Value)>) -> bool {
    let is_joined = |customer: &Value| {
        let number = customer.get("id").and_then(Value::as_u64);
        related(customer).is_some_and(|(document, appointment)| {
            number.is_some()
                && document.get("id").and_then(Value::as_u64) == number
                && document.get("title").is_some_and(Value::is_string)
                && appointment.get("id").and_then(Value::as_u64) == number
                && appointment.get("date").is_some_and(Value::is_string)
        })
    };
    customers.len() == CUSTOMERS as usize && customers.iter().all(is_joined)
}

/// What a client does that cannot ask for a join: the list, then each related record by itself.
async fn put_together(ours: &Ours, token: &str, at_once: usize) -> Result<Figure, Failure> {
    let address = ours.address()?;
    let mut connections = Vec::new();
    for _ in 0..at_once {
        connections.push(Connection::open(address).await?);
    }
    let list = wire::get("/crm/customers/", Some(token));
    let paths = |kind: &'static str| (1..=CUSTOMERS).map(move |number| format!("/{kind}/{kind}/{number}/"));
    let singles: Vec<Vec<u8>> =
        paths("documents").chain(paths("appointments")).map(|path| wire::get(&path, Some(token))).collect();
    let (cpu, began, mut took) = (usage::cpu(ours.process()), Instant::now(), Vec::new());
    while began.elapsed() < settings::seconds_each() {
        let one = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for (place, mut connection) in connections.drain(..).enumerate() {
            let first = (place == 0).then(|| list.clone());
            let own: Vec<Vec<u8>> =
                first.into_iter().chain(singles.iter().skip(place).step_by(at_once).cloned()).collect();
            tasks.spawn(async move {
                for request in own {
                    let status = connection.ask(&request).await?;
                    if status != 200 {
                        return Err(Failure::Wrong { expected: "200", got: status.to_string() });
                    }
                }
                Ok(connection)
            });
        }
        while let Some(done) = tasks.join_next().await {
            connections.push(done.map_err(Failure::http)??);
        }
        took.push(one.elapsed().as_secs_f64() * 1e3);
    }
    #[expect(clippy::cast_precision_loss, reason = "no figure is that exact")]
    let cpu_us = usage::cpu(ours.process()).saturating_sub(cpu).as_secs_f64() * 1e6 / took.len() as f64;
    Ok(Figure { cpu_us: Some(cpu_us), ..Figure::of(took, 0, began.elapsed().as_secs_f64()) })
}
