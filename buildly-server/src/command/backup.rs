//! `buildly backup`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Failure, Settings, print, text};
use crate::local::Task;

const EXAMPLES: &str = "\
Examples:
  buildly backup /backup/buildly-2026-11-23.db

The copy is the database as it is at one moment; the server goes on meanwhile. To restore it,
put it as core.db into a data folder together with the folder's keys/, which are not in it.
A PostgreSQL database is backed up with its own tools.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The file to write; it must not exist.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let file = std::path::absolute(&self.file).map_err(|error| error.to_string())?;
        let done = settings.ask(Task::Backup { file }).await?;
        print(&format!("copied to {}\n", text(&done, "file")))
    }
}
