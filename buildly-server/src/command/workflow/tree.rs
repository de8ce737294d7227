//! A run in words: its heading, its levels, what became of it.

use std::fmt;

use serde::Deserialize as _;
use serde_json::Value;

use super::super::{Failure, list, number, text};
use crate::workflow::Line;

/// A level, how it stands, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    line: Line,
    /// What more there is to say of it; may be empty.
    note: String,
    needs_attention: bool,
}

impl Row {
    #[cfg(test)]
    pub(super) fn new(level: &str, mark: Option<&str>) -> Self {
        let (level, mark) = (level.to_owned(), mark.map(str::to_owned));
        let line = Line { text: format!("  {level}: calls a.b"), level, mark };
        Self { line, note: String::new(), needs_attention: false }
    }

    pub(super) fn mark(&self) -> Option<&str> {
        self.line.mark.as_deref()
    }

    pub(super) fn is_reached(&self) -> bool {
        self.line.mark.is_some()
    }

    /// Whether something or somebody works on it, or has to.
    pub(super) fn is_live(&self) -> bool {
        self.needs_attention || self.mark() == Some("live")
    }

    /// How it stands, in a line of its own.
    pub(super) fn change(&self) -> String {
        let stands = if self.is_reached() { self.standing() } else { "stopped".to_owned() };
        format!("{}: {stands}\n", self.line.level)
    }

    fn standing(&self) -> String {
        let mark = if self.needs_attention { "needs attention" } else { self.mark().unwrap_or_default() };
        if self.note.is_empty() { mark.to_owned() } else { format!("{mark}, {}", self.note) }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.line.text)?;
        if self.is_reached() { write!(formatter, " [{}]", self.standing()) } else { Ok(()) }
    }
}

/// The levels of a run that was shown, in the order of the tree.
pub(super) fn rows(answer: &Value) -> Result<Vec<Row>, Failure> {
    let run = answer.get("run").unwrap_or(&Value::Null);
    let lines = Vec::<Line>::deserialize(answer.get("tree").unwrap_or(&Value::Null))
        .map_err(|error| format!("the tree of the run cannot be read: {error}"))?;
    Ok(lines.into_iter().map(|line| row(line, list(run, "live"))).collect())
}

fn row(line: Line, live: &[Value]) -> Row {
    let entries: Vec<&Value> = live.iter().filter(|entry| text(entry, "level") == line.level).collect();
    let stuck: Vec<&Value> =
        entries.iter().copied().filter(|entry| text(entry, "phase") == "stuck").collect();
    let note = match (stuck.as_slice(), entries.as_slice()) {
        ([only], _) => fault(only).to_owned(),
        ([first, ..], _) => {
            let numbers: Vec<String> =
                stuck.iter().map(|entry| number(entry, "activation").to_string()).collect();
            format!("number {}: {}", numbers.join(", "), fault(first))
        }
        ([], [only]) => waits_for(only),
        ([], []) => String::new(),
        ([], several) => format!("{} at once", several.len()),
    };
    Row { line, note, needs_attention: !stuck.is_empty() }
}

fn fault(entry: &Value) -> &str {
    entry.pointer("/fault/message").and_then(Value::as_str).unwrap_or_default()
}

fn waits_for(entry: &Value) -> String {
    let attempt = number(entry, "attempt");
    let waits = match text(entry, "phase") {
        "calling" if attempt > 1 => format!("attempt {attempt}"),
        "backoff" => format!("attempt {attempt} failed, there will be another"),
        "task" => "a person has to do it".to_owned(),
        "waiting_signal" => "no signal yet".to_owned(),
        "linked" => "waits for other levels".to_owned(),
        "sub_run" => "its run is on its way".to_owned(),
        "cancelling" => "is being stopped".to_owned(),
        "undoing" => "is being undone".to_owned(),
        _ => String::new(),
    };
    match text(entry, "deadline") {
        "" => waits,
        deadline if waits.is_empty() => format!("until {}", to_the_second(deadline)),
        deadline => format!("{waits}, until {}", to_the_second(deadline)),
    }
}

/// How a run stands, and which it is; the end may be cut off on a narrow terminal.
pub(super) fn heading(run: &Value) -> String {
    let key = match text(run, "business_key") {
        "" => String::new(),
        key => format!(", for {key}"),
    };
    format!(
        "{}: run {} of {}, version {}{key}\n",
        text(run, "status").replace('_', " "),
        text(run, "id"),
        text(run, "template"),
        number(run, "template_version"),
    )
}

/// What became of it.
pub(super) fn outcome(run: &Value) -> String {
    let status = text(run, "status").replace('_', " ");
    if let Some(result) = run.get("result") {
        return format!("{status}: {result}\n");
    }
    if let Some(fault) = run.get("fault") {
        let (level, message) = (text(fault, "level"), text(fault, "message"));
        return format!("{status}: {level}: {message}\n");
    }
    match text(run, "reason") {
        "" => format!("{status}\n"),
        reason => format!("{status}: {reason}\n"),
    }
}

/// A time (RFC 3339, UTC) without what is below a second.
pub(super) fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests;
