//! `buildly workflow show`

use std::process::ExitCode;

use buildly_model::RunId;
use clap::Args;
use serde_json::Value;

use super::super::{Settings, list, number, print, text};
use super::{Acting, Failure, tree};
use crate::local::Ask;

const EXAMPLES: &str = "\
Examples:
  buildly workflow show 01890a5d-ac96-774b-bcce-b302099a8057
  buildly workflow show 01890a5d-ac96-774b-bcce-b302099a8057 --history
  buildly workflow show 01890a5d-ac96-774b-bcce-b302099a8057 --json

Shows each level on a line: what it does, how it stands, and for levels that are being worked on
what they wait for. --history shows what happened, oldest first.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// The run's id.
    #[arg(value_name = "RUN")]
    run: RunId,
    /// Show what happened in it.
    #[arg(long)]
    history: bool,
    #[command(flatten)]
    acting: Acting,
    /// Print a JSON object; with --history a list.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        if self.history {
            let found = self.acting.ask(settings, Ask::History { run: self.run }).await?;
            let events = list(&found, "events");
            return print(&if self.json {
                format!("{:#}\n", Value::from(events.to_vec()))
            } else {
                events.iter().map(event_line).collect()
            });
        }
        let found = self.acting.ask(settings, Ask::Show { run: self.run, seen: None, wait_ms: 0 }).await?;
        let run = found.get("run").cloned().unwrap_or_default();
        if self.json {
            return print(&format!("{run:#}\n"));
        }
        let rows: String = tree::rows(&found)?.iter().map(|row| format!("{row}\n")).collect();
        print(&format!("{}{rows}{}", tree::heading(&run), tree::outcome(&run)))
    }
}

/// The members of an event that say most, in the order in which they are looked for.
const TELLING: [&str; 8] = ["phase", "how", "outcome", "attempt", "event", "name", "by", "end"];

fn event_line(event: &Value) -> String {
    let kind = text(event, "kind").trim_start_matches("workflow.");
    let facts = event.get("event").and_then(Value::as_object).and_then(|event| event.values().next());
    let told = facts.and_then(|facts| TELLING.iter().find_map(|name| facts.get(name))).map(words);
    let said = [text(event, "level"), &told.unwrap_or_default()].map(str::to_owned);
    let said: Vec<String> = said.into_iter().filter(|part| !part.is_empty()).collect();
    let (number, at) = (number(event, "number"), tree::to_the_second(text(event, "at")));
    let line = format!("{number:>5}  {at}  {kind:<20}  {}", said.join("  "));
    format!("{}\n", line.trim_end())
}

/// A word, or that of a variant with the sentence of the fault in it.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(variant) => {
            let Some((name, facts)) = variant.iter().next() else { return String::new() };
            let sentence = facts.pointer("/fault/message").or_else(|| facts.get("reason"));
            match sentence.and_then(Value::as_str) {
                Some(sentence) => format!("{name}: {sentence}"),
                None => name.clone(),
            }
        }
        other => other.to_string(),
    }
}
