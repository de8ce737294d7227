//! The guides in `docs/`, done as they stand: their files are written, their commands run one
//! after the other, and what these print is compared with what the page shows.

mod page;
mod reader;
mod shown;

use std::path::Path;

use buildly_core::auth::identity::throttle;
use buildly_core::gateway::SERVICES_MAX;
use buildly_core::workflow::template::{
    BOUND_MAX, LEVEL_DEPTH_MAX, LEVELS_MAX, TEMPLATE_BYTES_MAX, WINDOW_MAX,
};
use buildly_core::workflow::{EXPRESSION_BYTES_MAX, SIGNALS_MAX, VARIABLES_BYTES_MAX};
use buildly_server::configuration::{Configuration, Sources};

use crate::process::{Folder, Storage};
use page::Step;
use reader::Reader;

pub use page::text;

/// A page that shows fewer commands than it should is one whose blocks are not read.
const COMMANDS_MIN: [(&str, usize); 5] =
    [("workflow", 40), ("operating", 20), ("services", 20), ("moving-from-buildly-core", 15), ("events", 25)];

macro_rules! followed {
    ($($name:literal: $sqlite:ident, $postgres:ident;)*) => {$(
        #[tokio::test]
        async fn $sqlite() {
            follow($name, &Storage::sqlite());
        }

        #[tokio::test]
        async fn $postgres() {
            let storage = Storage::postgres();
            follow($name, &storage);
            storage.remove().await;
        }
    )*};
}

followed! {
    "workflow": workflow_can_be_followed_on_sqlite, workflow_can_be_followed_on_postgres;
    "operating": operating_can_be_followed_on_sqlite, operating_can_be_followed_on_postgres;
    "services": services_can_be_followed_on_sqlite, services_can_be_followed_on_postgres;
    "moving-from-buildly-core": moving_can_be_followed_on_sqlite, moving_can_be_followed_on_postgres;
}

#[cfg(feature = "nats")]
#[tokio::test]
async fn events_can_be_followed_on_sqlite() {
    follow_to_nats(&Storage::sqlite()).await;
}

#[cfg(feature = "nats")]
#[tokio::test]
async fn events_can_be_followed_on_postgres() {
    let storage = Storage::postgres();
    follow_to_nats(&storage).await;
    storage.remove().await;
}

/// The page's stream is one of the test's own here, and goes away afterwards.
#[cfg(feature = "nats")]
async fn follow_to_nats(storage: &Storage) {
    let own = uuid::Uuid::now_v7().simple();
    let (stream, prefix) = (format!("SHOP_{own}"), format!("shop_{own}"));
    let url = crate::nats::url();
    let names = [("SHOP", &*stream), ("shop", &prefix), ("nats://127.0.0.1:4222", &url)];
    follow_with("events", storage, &names);
    let client = async_nats::connect(url).await.unwrap();
    async_nats::jetstream::new(client).delete_stream(stream).await.unwrap();
}

/// Does what the page says.
fn follow(name: &str, storage: &Storage) {
    follow_with(name, storage, &[]);
}

/// The same, with other names for some of the page's.
fn follow_with(name: &str, storage: &Storage, names: &[(&str, &str)]) {
    let (steps, folder) = (page::steps(&text(name), storage), Folder::new());
    let commands = steps.iter().filter(|step| matches!(step, Step::Command { .. })).count();
    let (_, least) = COMMANDS_MIN.iter().find(|(page, _)| *page == name).unwrap();
    assert!(commands >= *least, "the page shows only {commands} commands");
    let mut reader = Reader::new(storage, &folder.0);
    names.iter().for_each(|(there, here)| reader.call(there, here));
    for step in &steps {
        reader.follow(step);
    }
    reader.end();
}

#[test]
fn the_guide_to_workflows_names_the_limits_as_they_are() {
    let page = text("workflow");
    for (what, limit) in [
        ("levels of a template", LEVELS_MAX as u64),
        ("levels inside each other", LEVEL_DEPTH_MAX as u64),
        ("bytes of a template", TEMPLATE_BYTES_MAX as u64),
        ("items of a `for_each`, rounds of a `loop`", u64::from(BOUND_MAX)),
        ("items of a `for_each` at once", u64::from(WINDOW_MAX)),
        ("bytes of an expression", EXPRESSION_BYTES_MAX as u64),
        ("bytes of input, variables and results of a run", VARIABLES_BYTES_MAX),
        ("signals that a run keeps", SIGNALS_MAX as u64),
    ] {
        let row = format!("| {what} | {} |", grouped(limit));
        assert!(page.contains(&row), "the page does not have `{row}`");
    }
}

#[test]
fn the_guide_to_operating_names_the_limits_as_they_are() {
    let page = text("operating");
    let (_, settings) = Configuration::load_with_entries(Sources::default()).unwrap();
    let limits = settings.iter().filter(|setting| setting.key.starts_with("limits."));
    let mut rows: Vec<String> =
        limits.map(|setting| format!("| `{}` | {} |", setting.key, setting.shown)).collect();
    assert!(rows.len() >= 10, "{rows:?}");
    for (what, limit) in [
        ("services of a deployment", SERVICES_MAX as u64),
        ("wrong passwords of an account without delay", throttle::ACCOUNT_FAILURES_FREE.into()),
        ("seconds of delay after the next one, doubled each time", throttle::ACCOUNT_DELAY_FIRST.as_secs()),
        ("seconds of that delay", throttle::ACCOUNT_DELAY_MAX.as_secs()),
        ("wrong passwords of an address in 300 s", throttle::ADDRESS_FAILURES_MAX.into()),
        ("mails that strangers can have sent to one address without delay", throttle::MAIL_FREE.into()),
        ("seconds of delay before the next one, doubled each time", throttle::MAIL_DELAY_FIRST.as_secs()),
        ("seconds of that delay before a mail", throttle::MAIL_DELAY_MAX.as_secs()),
    ] {
        rows.push(format!("| {what} | {limit} |"));
    }
    assert_eq!(throttle::ADDRESS_WINDOW.as_secs(), 300);
    for row in rows {
        assert!(page.contains(&row), "the page does not have `{row}`");
    }
}

#[test]
fn what_the_guide_to_services_quotes_is_in_the_examples() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = ["service-in-python/service.py", "service-in-python/orders.py", "custom-service/src/main.rs"];
    let files = files.iter().chain(&["custom-service/README.md"]);
    let files: Vec<String> =
        files.map(|file| std::fs::read_to_string(examples.join(file)).unwrap()).collect();
    let quotations = page::quotations(&text("services"));
    assert!(quotations.len() >= 6, "the page quotes only {}", quotations.len());
    for quotation in quotations {
        assert!(files.iter().any(|file| file.contains(&quotation)), "no example has\n{quotation}");
    }
}

#[test]
fn what_the_page_on_events_quotes_is_run_as_an_example() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../buildly-core/src/builder.rs");
    let example = std::fs::read_to_string(example).unwrap();
    let lines = example.lines().filter_map(|line| line.trim_start().strip_prefix("///"));
    let example: Vec<&str> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    let quotations = page::quotations(&text("events"));
    assert!(quotations.len() >= 2, "the page quotes only {}", quotations.len());
    for quotation in quotations {
        assert!(example.join("\n").contains(&quotation), "`Builder::transport` does not show\n{quotation}");
    }
}

/// A number with blanks between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
