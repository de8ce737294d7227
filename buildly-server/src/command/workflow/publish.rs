//! `buildly workflow publish`

use std::process::ExitCode;

use clap::Args;

use super::super::{Settings, number, print, text};
use super::{Acting, Failure, given};
use crate::local::Ask;

const EXAMPLES: &str = "\
Examples:
  buildly workflow publish order.yaml
  buildly workflow publish order.yaml --as ada
  generate-template | buildly workflow publish -

Saves the template as a draft and publishes it as the next version, if it is sound and all that
it names is there: operations of services, record types, groups, service accounts, other
templates. If it is not, what must be mended is printed, and the draft stays one. Needs the right
to administer the organization.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// The template, in YAML or JSON; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: String,
    #[command(flatten)]
    acting: Acting,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let file = self.file;
        let template = given::document(&file).map_err(|reason| format!("`{file}`: {reason}"))?;
        let published = self.acting.ask(settings, Ask::Publish { template }).await?;
        if self.json {
            return print(&format!("{published:#}\n"));
        }
        let (name, version) = (text(&published, "name"), number(&published, "version"));
        print(&format!("version {version} of `{name}` is published\n"))
    }
}
