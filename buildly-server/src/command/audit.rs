//! `buildly audit`

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::{Failure, Settings, list, number, print, text};
use crate::local::Task;

const EXAMPLES: &str = "\
Examples:
  buildly audit verify
  buildly audit verify --data-dir /backup/buildly

Checks that each organization's events follow each other without a gap and that none was
changed. Exits with 1 and names the first event that does not fit, if one does not.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every chain of the journal; nothing is written.
    #[command(after_help = EXAMPLES)]
    Verify {
        /// Print a JSON object.
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let Self::Verify { json } = self;
        let found = settings.ask(Task::VerifyAudit {}).await?;
        print(&if json { format!("{found:#}\n") } else { sentences(&found) })?;
        let holds = list(&found, "broken").is_empty();
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn sentences(found: &Value) -> String {
    let (events, chains) = (number(found, "events"), number(found, "chains"));
    let mut sentences = format!("{events} events in {chains} chains hold\n");
    for chain in list(found, "broken") {
        let whose = chain.get("organization").and_then(Value::as_str).unwrap_or("the deployment");
        sentences.push_str(&format!("BROKEN: the chain of {whose}: {}\n", text(chain, "reason")));
    }
    sentences
}
