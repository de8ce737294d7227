//! Plays the recorded exchanges of Buildly Core 1.2.0 against a running server.
//!
//! An exchange without `closed` must give the same status and body; one with `closed` must
//! differ in the way that [`closed`] writes down for it. The recordings are read from
//! `../shared/compat/recorded` (or `$BUILDLY_COMPAT`); where they are absent, each area is
//! counted as skipped.

mod closed;
mod compare;
mod deployment;
mod exchange;
mod placeholders;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::client::Answer;
use crate::harness::{TestServer, skipped};
use crate::recorded::RecordedService;
use exchange::{Exchange, Recording};
use placeholders::Placeholders;

const USERNAME: &str = "67OAI8DD5I1O";
const PASSWORD: &str = "Root-horse-9-battery";

fn recordings() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("BUILDLY_COMPAT")
        .map_or_else(|| here.join("../../shared/compat/recorded"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

async fn replay(area: &str) {
    let Some(folder) = recordings() else {
        skipped(&format!("replay of {area}: no recordings in ../shared/compat/recorded"));
        return;
    };
    let text = std::fs::read_to_string(folder.join(format!("{area}.json"))).unwrap();
    let recording: Recording = serde_json::from_str(&text).unwrap();
    let services = [RecordedService::a().await, RecordedService::b().await];
    let server = deployment::start().await;
    let mut placeholders = Placeholders::new(&server, &services);
    let mut faults = BTreeMap::new();
    for exchange in &recording.exchanges {
        let fault = play(&server, exchange, &mut placeholders).await;
        if let Err(fault) = fault {
            faults.insert(exchange.id.clone(), format!("{} ({})\n{fault}", exchange.step, exchange.line()));
        }
    }
    let played = recording.exchanges.len();
    let report: String = faults.iter().map(|(id, fault)| format!("\n-- {id}: {fault}\n")).collect();
    server.stop().await;
    assert!(faults.is_empty(), "{} of {played} exchanges differ:{report}", faults.len());
}

/// The joint document is OpenAPI 3.1 with us, and payment resources are not there yet.
const JOINT_DOCUMENT: &str = "platform-018";
/// Groups of the same name are listed in any order.
const UNORDERED: &str = "groups-014";

async fn play(
    server: &TestServer,
    exchange: &Exchange,
    placeholders: &mut Placeholders,
) -> Result<(), String> {
    placeholders.prepare(server, exchange).await;
    let request = exchange.request(&server.client, placeholders)?;
    let answer = server.client.request(request).await;
    let outcome = match closed::why(exchange) {
        Some(why) => closed::check(exchange, &why, &answer, placeholders),
        None => check_same(exchange, &answer, placeholders),
    };
    outcome.map_err(|reason| format!("   {reason}\n   answer: {} {}", answer.status, shortened(&answer.body)))
}

fn check_same(exchange: &Exchange, answer: &Answer, placeholders: &mut Placeholders) -> Result<(), String> {
    if answer.status.as_u16() != exchange.status {
        return Err(format!("expected status {}", exchange.status));
    }
    if exchange.body.get("html").is_some() {
        let is_page = answer.header("content-type").starts_with("text/html");
        return if is_page { Ok(()) } else { Err("expected a page".to_owned()) };
    }
    let body = compare::abridged(json_or_text(answer), exchange.abridged.as_deref())?;
    if exchange.id == JOINT_DOCUMENT {
        return compare::same_where_the_contract_agrees(&exchange.body, &body);
    }
    if exchange.status >= 400 {
        return compare::same_fields(&exchange.body, &body);
    }
    compare::same(&exchange.body, &body, placeholders, exchange.unordered || exchange.id == UNORDERED)?;
    match &exchange.decoded_jwt {
        Some(expected) => compare::same_token(expected, &body, placeholders),
        None => Ok(()),
    }
}

fn shortened(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(600).collect()
}

macro_rules! areas {
    ($($area:ident),*) => {$(
        #[tokio::test]
        async fn $area() {
            replay(stringify!($area)).await;
        }
    )*};
}

areas!(auth, users, groups, organizations, platform, services, gateway, datamesh, join, local, workflow);

fn json_or_text(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| answer.text().into())
}

fn field<'a>(body: &'a Value, name: &str) -> &'a Value {
    body.get(name).unwrap_or(&Value::Null)
}
