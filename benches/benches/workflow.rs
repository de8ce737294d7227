//! Workflows: the pure step, runs of three steps beside Restate and DBOS, recovery.
#![expect(clippy::print_stdout, reason = "a bench speaks to the terminal")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::load::{Client, measure};
use benches::ours::{CompleteRun, Database, Ours, three_steps};
use benches::peers::{CompleteRestateRun, Dbos, DbosDatabase, Restate};
use benches::report::{Figure, Report};
use benches::stub::Stub;
use benches::{Failure, disk, settings, start};
use buildly_model::{RunId, Timestamp};
use buildly_workflow::{Answer, Input, Outcome, Start, State, Template, compile, step};
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// So many runs are open when the node is killed.
const OPEN_RUNS: usize = 10_000;

fn main() -> ExitCode {
    start::run(bench())
}

async fn bench() -> Result<(), Failure> {
    let mut report = Report::default();
    println!("fdatasync of 4 KiB | {}", disk::sync_latency(&std::env::temp_dir())?);
    report.alone("pure step", &format!("{:.0} steps/s", pure_steps()?));
    let stub = Stub::start()?;
    let ours_on_sqlite = runs(Database::Sqlite, &stub).await?;
    let ours_on_postgres = runs(Database::Postgres, &stub).await?;
    if settings::wants("restate") {
        let _restate = Restate::start(stub.port).await?;
        for (at_once, ours) in &ours_on_sqlite {
            let ask = Arc::new(CompleteRestateRun);
            let theirs = measure(&Client::default(), ask, *at_once, settings::seconds_each()).await;
            report.beside(&name("SQLite", *at_once), ours, Restate::VERSION, &theirs);
        }
    }
    if settings::wants("dbos") {
        let dbos = Dbos::install().await?;
        for (database, on, all) in [
            (DbosDatabase::Sqlite, "SQLite", &ours_on_sqlite),
            (DbosDatabase::Postgres, "PostgreSQL", &ours_on_postgres),
        ] {
            for (at_once, ours) in all {
                let theirs = dbos.measure(database, stub.port, *at_once, settings::seconds_each()).await?;
                report.beside(&name(on, *at_once), ours, &format!("{} on {on}", Dbos::VERSION), &theirs);
            }
        }
    }
    for (database, on) in [(Database::Sqlite, "SQLite"), (Database::Postgres, "PostgreSQL")] {
        let took = recovery(database, &stub).await?;
        let name = format!("ready after kill -9 with {OPEN_RUNS} open runs, {on}");
        report.alone(&name, &format!("{} ms", took.as_millis()));
    }
    report.end();
    Ok(())
}

fn name(on: &str, at_once: usize) -> String {
    format!("runs of three steps, {at_once} at once, {on}")
}

/// Completed runs a second over HTTP, for each number of callers.
async fn runs(database: Database, stub: &Stub) -> Result<Vec<(usize, Figure)>, Failure> {
    let ours = Ours::start(database, stub.port).await?;
    ours.publish(&three_steps()).await?;
    let mut figures = Vec::new();
    for at_once in settings::at_once() {
        let ask = Arc::new(CompleteRun::of(&ours, "three"));
        let _of_before = stub.calls();
        let figure = measure(&ours.client, ask, at_once, settings::seconds_each()).await;
        println!("ours on {database:?}, {at_once} at once: {figure}; {} calls", stub.calls());
        figures.push((at_once, figure));
    }
    ours.stop().await?;
    Ok(figures)
}

/// How long a node that was killed takes until it answers again.
async fn recovery(database: Database, stub: &Stub) -> Result<Duration, Failure> {
    let mut ours = Ours::start(database, stub.port).await?;
    ours.publish(&three_steps()).await?;
    let wait = json!({"name": "wait", "do": {"wait": {"for": "1d"}}});
    ours.publish(&json!({"name": "open", "levels": [wait]})).await?;
    let shared = Arc::new(ours.client.clone());
    let url = format!("{}/workflow/runs/", ours.url);
    let mut starters = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (client, url) = (Arc::clone(&shared), url.clone());
        starters.spawn(async move {
            for _ in 0..OPEN_RUNS.div_ceil(32) {
                let body = r#"{"template":"open","input":{}}"#.into();
                let (status, _) = client.send(http::Method::POST, &url, body).await?;
                if status != StatusCode::CREATED {
                    return Err(Failure::Wrong { expected: "201 Created", got: status.to_string() });
                }
            }
            Ok(())
        });
    }
    while let Some(done) = starters.join_next().await {
        done.map_err(|error| Failure::Wrong { expected: "open runs", got: error.to_string() })??;
    }
    let took = ours.kill_and_start().await?;
    // It works as before.
    let run = json!({"template": "three", "input": {}});
    let run = ours.post("/workflow/runs/?wait=30", &run, StatusCode::CREATED).await?;
    if run.get("status").is_none_or(|status| status != "completed") {
        return Err(Failure::Wrong { expected: "a completed run", got: run.to_string() });
    }
    ours.stop().await?;
    Ok(took)
}

/// Steps a second of the pure function: a run of three calls, from its start to its end.
fn pure_steps() -> Result<f64, Failure> {
    let template = Template::from_json(three_steps().to_string().as_bytes());
    let template = template.map_err(|error| wrong(&error))?;
    let template = compile(&template)
        .map_err(|findings| Failure::Wrong { expected: "a template", got: format!("{findings:?}") })?;
    let (run, now) = (RunId::from_uuid(Uuid::from_u128(7)), Timestamp::from_seconds(1_800_000_000));
    let (began, mut steps) = (Instant::now(), 0_u32);
    while began.elapsed() < settings::seconds_each() {
        let start = Start { run, input: json!({}), starter: "user:ada".to_owned(), caused: 0 };
        let mut done =
            step(&template, &State::new(), Input::Started(start), now, 7).map_err(|error| wrong(&error))?;
        steps += 1;
        while let Some(effect) = done.effects.first() {
            let outcome = Outcome::Done { status: 200, body: json!({"ok": true}) };
            let answer = Answer { activation: effect.activation, attempt: effect.attempt, outcome };
            done = step(&template, &done.state, Input::Answered(answer), now, 7)
                .map_err(|error| wrong(&error))?;
            steps += 1;
        }
        if !black_box(&done.state).is_ended() {
            return Err(Failure::Wrong { expected: "a run that ends", got: format!("{:?}", done.state) });
        }
    }
    Ok(f64::from(steps) / began.elapsed().as_secs_f64())
}

fn wrong(error: &impl std::fmt::Display) -> Failure {
    Failure::Wrong { expected: "a step", got: error.to_string() }
}
