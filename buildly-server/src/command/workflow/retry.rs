//! `buildly workflow retry`

use std::process::ExitCode;

use buildly_model::RunId;
use clap::Args;

use super::super::{Settings, print};
use super::{Acting, Failure};
use crate::local::Ask;

const EXAMPLES: &str = "\
Examples:
  buildly workflow list --status needs_attention
  buildly workflow retry 01890a5d-ac96-774b-bcce-b302099a8057 charge
  buildly workflow retry 01890a5d-ac96-774b-bcce-b302099a8057 charge --waive

The level begins anew, with a new idempotency key. If nobody knows whether its last attempt
happened, the service could do it twice: find out first, then say --waive. Where a level needs
attention several times, as in a for-each, name one entry by its number.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// The run's id.
    #[arg(value_name = "RUN")]
    run: RunId,
    /// The level's name, or the number of one entry into it.
    #[arg(value_name = "LEVEL")]
    level: String,
    /// Accept that nobody knows whether the last attempt happened.
    #[arg(long)]
    waive: bool,
    #[command(flatten)]
    acting: Acting,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let Self { run, level, waive, acting } = self;
        acting.ask(settings, Ask::Retry { run, level: level.clone(), waive }).await?;
        print(&format!("`{level}` is done anew\n"))
    }
}
