//! `buildly config`

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Failure, Settings, print};
use crate::configuration::Entry;

const EXAMPLES: &str = "\
Examples:
  buildly config show
  BUILDLY_LISTEN=0.0.0.0:80 buildly config show --json

Secrets are hidden. The last column says where the value comes from.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Every setting, its value, and where that comes from.
    #[command(after_help = EXAMPLES)]
    Show {
        /// Print a JSON object.
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub(super) fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let Self::Show { json } = self;
        let (_, entries) = settings.load_with_entries(Vec::new(), &[])?;
        print(&if json { as_json(&entries) } else { as_table(&entries) })
    }
}

fn as_json(entries: &[Entry]) -> String {
    let settings: serde_json::Map<String, Value> = entries
        .iter()
        .map(|entry| {
            (entry.key.to_owned(), json!({"value": entry.shown, "source": entry.source.to_string()}))
        })
        .collect();
    format!("{:#}\n", Value::Object(settings))
}

fn as_table(entries: &[Entry]) -> String {
    let width = |text: fn(&Entry) -> &str| entries.iter().map(|entry| text(entry).chars().count()).max();
    let keys = width(|entry| entry.key).unwrap_or_default();
    let values = width(|entry| &entry.shown).unwrap_or_default().min(40);
    let descriptions = width(|entry| entry.description).unwrap_or_default();
    let line = |entry: &Entry| {
        let (key, value, description) = (entry.key, &entry.shown, entry.description);
        format!("{key:keys$}  {value:values$}  {description:descriptions$}  {}\n", entry.source)
    };
    entries.iter().map(line).collect()
}
