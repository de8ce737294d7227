//! `buildly workflow list`

use std::process::ExitCode;

use buildly_core::workflow::Status;
use clap::Args;
use serde_json::Value;

use super::super::{Settings, list, number, print, text};
use super::{Acting, Failure, tree};
use crate::local::Ask;

const EXAMPLES: &str = "\
Examples:
  buildly workflow list
  buildly workflow list --status needs_attention
  buildly workflow list --template order --limit 100 --json

Shows the runs of the organization of the user who acts. A status is one of new, running, paused,
needs_attention, undoing, completed, failed, compensated, cancelled.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// Only runs that stand so.
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Option<Status>,
    /// Only runs of this template.
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// How many, at most 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    acting: Acting,
    /// Print a JSON list.
    #[arg(long)]
    json: bool,
}

fn status(word: &str) -> Result<Status, String> {
    word.parse().map_err(|error: buildly_core::workflow::ParseWordError| error.to_string())
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let ask = Ask::List { template: self.template, status: self.status, limit: self.limit };
        let found = self.acting.ask(settings, ask).await?;
        let runs = list(&found, "runs");
        if self.json {
            return print(&format!("{:#}\n", Value::from(runs.to_vec())));
        }
        let mut table = as_table(runs);
        if found.get("are_more").and_then(Value::as_bool) == Some(true) {
            table.push_str("there are more: `--limit NUMBER` shows them\n");
        }
        print(&table)
    }
}

fn as_table(runs: &[Value]) -> String {
    if runs.is_empty() {
        return "no runs\n".to_owned();
    }
    let rows: Vec<[String; 5]> = runs.iter().map(row).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (templates, statuses) = (width(1), width(2));
    let line = |[id, template, status, started, key]: &[String; 5]| {
        let line = format!("{id}  {template:templates$}  {status:statuses$}  {started}  {key}");
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(line).collect()
}

fn row(run: &Value) -> [String; 5] {
    [
        text(run, "id").to_owned(),
        format!("{} {}", text(run, "template"), number(run, "template_version")),
        text(run, "status").to_owned(),
        tree::to_the_second(text(run, "created_at")),
        text(run, "business_key").to_owned(),
    ]
}
