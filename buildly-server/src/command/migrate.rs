//! `buildly migrate`

use std::process::ExitCode;

use clap::Args;

use super::{Failure, Settings, print};
use crate::deployment::open;

const EXAMPLES: &str = "\
Examples:
  buildly migrate
  buildly migrate --database-url postgres://buildly@db/buildly

`serve` does the same when it starts. A database of a newer version is refused and left as it is.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let configuration = settings.load(Vec::new())?;
        let buildly = open(&configuration).await.map_err(|error| error.to_string())?;
        buildly.close().await;
        print(&format!("the database has the schema of buildly {}\n", env!("CARGO_PKG_VERSION")))
    }
}
