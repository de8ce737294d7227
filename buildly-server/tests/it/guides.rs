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
const COMMANDS_MIN: [(&str, usize); 4] =
    [("workflow", 40), ("operating", 20), ("services", 20), ("moving-from-buildly-core", 15)];

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

/// Does what the page says.
fn follow(name: &str, storage: &Storage) {
    let (steps, folder) = (page::steps(&text(name), storage), Folder::new());
    let commands = steps.iter().filter(|step| matches!(step, Step::Command { .. })).count();
    let (_, least) = COMMANDS_MIN.iter().find(|(page, _)| *page == name).unwrap();
    assert!(commands >= *least, "the page shows only {commands} commands");
    let mut reader = Reader::new(storage, &folder.0);
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
