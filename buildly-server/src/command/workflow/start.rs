//! `buildly workflow start`

use std::process::ExitCode;
use std::time::Duration;

use buildly_model::RunId;
use clap::Args;
use serde_json::Value;
use tokio::time::Instant;

use super::super::{Settings, number, print, text};
use super::{Acting, Asking, Failure, code_of, given, is_ended, tree};
use crate::local::Ask;

const EXAMPLES: &str = "\
Examples:
  buildly workflow start greeting
  buildly workflow start order --input '{\"amount\": 70}' --as ada
  buildly workflow start order --input order-7.json --business-key order-7 --key order-7
  RUN=$(buildly workflow start order --input order-7.yaml)
  buildly workflow start order --wait 30

Prints the run's id. With --wait it prints how the run came out, and exits with 0 only if it is
completed within that time; the run goes on all the same. Repeating a start with the same --key
gives the run that the first one started.

Without a running server the run is kept, and begins once one runs.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// The template's name.
    #[arg(value_name = "TEMPLATE")]
    template: String,
    /// Its version [default: the newest that is published].
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    /// What the run is given: JSON, a file in JSON or YAML, or `-` for standard input.
    #[arg(long, value_name = "JSON|FILE|-", allow_hyphen_values = true)]
    input: Option<String>,
    /// Two starts with the same key are one.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// What people call the run by, such as an order's number; signals can name it.
    #[arg(long, value_name = "KEY")]
    business_key: Option<String>,
    /// Wait until it has ended, for so many seconds at most.
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u32>,
    #[command(flatten)]
    acting: Acting,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let ask = Ask::Start {
            template: self.template,
            version: self.version,
            input: given::value_or_null(self.input.as_deref())?,
            key: self.key,
            business_key: self.business_key,
        };
        let asking = self.acting.begin(settings).await?;
        let outcome = start(&asking, ask, self.wait, self.json).await;
        asking.end().await;
        outcome
    }
}

async fn start(asking: &Asking, ask: Ask, wait: Option<u32>, is_json: bool) -> Result<ExitCode, Failure> {
    let run = asking.ask(ask).await?;
    let id = text(&run, "id").to_owned();
    let Some(seconds) = wait else {
        return print(&if is_json { format!("{run:#}\n") } else { format!("{id}\n") });
    };
    if !is_json {
        print(&format!("{id}\n"))?;
    }
    let run = ended(asking, run, Duration::from_secs(u64::from(seconds))).await?;
    print(&if is_json { format!("{run:#}\n") } else { tree::outcome(&run) })?;
    if !is_ended(&run) {
        return Err(format!(
            "the run has not ended within {seconds} s, and goes on: `buildly workflow watch {id}`"
        ));
    }
    Ok(code_of(&run))
}

/// The run once it has ended, or as it is when the time is over.
async fn ended(asking: &Asking, mut run: Value, at_most: Duration) -> Result<Value, Failure> {
    let id: RunId = text(&run, "id").parse().map_err(|_| "the server named no run".to_owned())?;
    let end = Instant::now() + at_most;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if is_ended(&run) || left.is_zero() {
            return Ok(run);
        }
        asking.require_work()?;
        let wait_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
        let ask = Ask::Show { run: id, seen: Some(number(&run, "version")), wait_ms };
        run = asking.ask(ask).await?.get("run").cloned().unwrap_or_default();
    }
}
