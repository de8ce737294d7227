//! `buildly workflow lint`

use std::process::ExitCode;

use buildly_core::workflow::{Finding, ParseError, Severity, Template, check_structure, compile};
use clap::Args;
use serde_json::{Value, json};

use super::super::print;
use super::{Failure, given};

const EXAMPLES: &str = "\
Examples:
  buildly workflow lint order.yaml
  buildly workflow lint templates/*.yaml --deny-warnings
  cat order.json | buildly workflow lint - --json

Reads templates in YAML or JSON and prints a line for each thing that is wrong:
  FILE: LEVEL: what is wrong; what to do about it

Exits with 1 if a template could not be published: names, links, expressions, stages that cannot
get what they need. Warnings alone do so only with --deny-warnings. Whether the services, groups
and accounts that a template names are there, only a deployment knows: `publish` checks that.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// The templates; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Exit with 1 for warnings, too.
    #[arg(long)]
    deny_warnings: bool,
    /// Print a JSON list: each file with its findings.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let checked: Vec<(String, Vec<Finding>)> = self
            .files
            .into_iter()
            .map(|file| {
                let findings = findings(&file);
                (file, findings)
            })
            .collect();
        let refuses = |finding: &Finding| self.deny_warnings || finding.is_error();
        let is_refused = checked.iter().any(|(_, findings)| findings.iter().any(refuses));
        print(&if self.json { as_json(&checked) } else { as_lines(&checked) })?;
        Ok(if is_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// What is wrong with the template in a file, as far as its text shows.
fn findings(file: &str) -> Vec<Finding> {
    let document = match given::document(file) {
        Ok(document) => document,
        Err(reason) => return vec![fault(String::new(), reason)],
    };
    match Template::from_value(&document) {
        Err(ParseError::Level { level, reason }) => vec![fault(level, reason)],
        Err(error) => vec![fault(String::new(), error.to_string())],
        Ok(template) => compile(&template).map_or_else(|findings| findings, |ready| check_structure(&ready)),
    }
}

/// What keeps a text from being read as a template; the reason says what was expected.
fn fault(level: String, reason: String) -> Finding {
    Finding { severity: Severity::Error, level, reason, mending: String::new() }
}

fn as_json(checked: &[(String, Vec<Finding>)]) -> String {
    let files: Vec<Value> =
        checked.iter().map(|(file, findings)| json!({"file": file, "findings": findings})).collect();
    format!("{:#}\n", Value::Array(files))
}

fn as_lines(checked: &[(String, Vec<Finding>)]) -> String {
    let mut lines = String::new();
    for (file, findings) in checked {
        if findings.is_empty() {
            lines.push_str(&format!("{file}: no findings\n"));
        }
        for Finding { severity, level, reason, mending } in findings {
            let level = if level.is_empty() { String::new() } else { format!("{level}: ") };
            let word = if *severity == Severity::Warning { "warning: " } else { "" };
            let mending = if mending.is_empty() { String::new() } else { format!("; {mending}") };
            lines.push_str(&format!("{file}: {level}{word}{reason}{mending}\n"));
        }
    }
    lines
}
