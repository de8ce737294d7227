//! `buildly workflow signal`

use std::process::ExitCode;

use buildly_model::RunId;
use clap::{ArgGroup, Args};
use serde_json::Value;

use super::super::{Settings, list, print};
use super::{Acting, Failure, given};
use crate::local::Ask;

const EXAMPLES: &str = "\
Examples:
  buildly workflow signal paid --business-key order-7 --payload '{\"amount\": 70}'
  buildly workflow signal paid --run 01890a5d-ac96-774b-bcce-b302099a8057 --key payment-4711
  buildly workflow signal paid --business-key order-7 --payload payment.json

Prints the runs that the signal is kept for, whether they wait for it yet or not. Sending it again
with the same --key changes nothing.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("to").args(["run", "business_key"]).required(true))]
pub(in crate::command) struct Arguments {
    /// The signal's name.
    #[arg(value_name = "NAME")]
    name: String,
    /// The run that it is for.
    #[arg(long, value_name = "RUN")]
    run: Option<RunId>,
    /// The business key of the runs that it is for; all of them that have not ended.
    #[arg(long, value_name = "KEY")]
    business_key: Option<String>,
    /// Two signals of a run with the same key are one [default: a new one].
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// What it carries: JSON, a file in JSON or YAML, or `-` for standard input.
    #[arg(long, value_name = "JSON|FILE|-", allow_hyphen_values = true)]
    payload: Option<String>,
    #[command(flatten)]
    acting: Acting,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let payload = given::value_or_null(self.payload.as_deref())?;
        let Self { name, run, business_key, key, .. } = self;
        let sent = self.acting.ask(settings, Ask::Signal { name, run, business_key, key, payload }).await?;
        let runs = list(&sent, "runs").iter().filter_map(Value::as_str);
        print(&runs.map(|run| format!("kept for {run}\n")).collect::<String>())
    }
}
