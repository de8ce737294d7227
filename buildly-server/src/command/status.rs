//! `buildly status`

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::{Failure, Settings, number, print, text};
use crate::local::Task;

const EXAMPLES: &str = "\
Examples:
  buildly status
  buildly status --data-dir /var/lib/buildly --json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let status = settings.ask(Task::Status {}).await?;
        let is_own = number(&status, "process") == u64::from(std::process::id());
        if self.json {
            let mut status = status;
            if let Value::Object(fields) = &mut status {
                fields.insert("running".to_owned(), Value::Bool(!is_own));
            }
            return print(&format!("{status:#}\n"));
        }
        let (folder, version) = (text(&status, "data_dir"), text(&status, "version"));
        print(&if is_own {
            format!("no server runs on `{folder}`; its data can be used by buildly {version}\n")
        } else {
            format!("buildly {version} runs on `{folder}`, process {}\n", number(&status, "process"))
        })
    }
}
