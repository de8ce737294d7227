//! `buildly openapi`

use std::process::ExitCode;

use clap::Args;

use super::{Failure, Settings, print};
use crate::{api, route};

const EXAMPLES: &str = "\
Examples:
  buildly openapi > buildly.openapi.json

A running server shows the same together with every registered service at /docs/.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let configuration = settings.load(Vec::new())?;
        let document =
            route::document(&api::routes(), configuration.public_url.as_deref().unwrap_or_default());
        print(&format!("{document:#}\n"))
    }
}
