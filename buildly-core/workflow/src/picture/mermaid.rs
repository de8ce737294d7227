//! A flowchart in the language of Mermaid (<https://mermaid.js.org/syntax/flowchart.html>).

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Arrangement, Mark, Marks, Outline};

/// Draws a template, or a run if `marks` says how its levels stand.
#[must_use]
pub fn mermaid(outline: &Outline, marks: &Marks) -> String {
    let numbers = outline.walk().enumerate().map(|(number, level)| (level.name.as_str(), number)).collect();
    let mut chart = Chart { text: "flowchart TD\n".to_owned(), numbers };
    chart.level(outline, 1);
    for level in outline.walk() {
        for before in &level.after {
            chart.arrow(before, "-.->", None, &level.name);
        }
    }
    for mark in [Mark::Live, Mark::Completed, Mark::Skipped, Mark::Failed, Mark::Undone] {
        let nodes: Vec<String> = marks
            .iter()
            .filter(|(_, marked)| **marked == mark)
            .filter_map(|(name, _)| Some(format!("n{}", chart.numbers.get(name.as_str())?)))
            .collect();
        if !nodes.is_empty() {
            let (fill, line) = mark.colours();
            let name = mark.name();
            chart.line(1, format_args!("classDef {name} fill:{fill},stroke:{line},color:#222222"));
            chart.line(1, format_args!("class {} {name}", nodes.join(",")));
        }
    }
    chart.text
}

struct Chart<'a> {
    text: String,
    /// Mermaid's own words cannot be names of nodes, so levels go by number.
    numbers: HashMap<&'a str, usize>,
}

impl Chart<'_> {
    fn line(&mut self, depth: usize, line: std::fmt::Arguments<'_>) {
        let indentation = "  ".repeat(depth);
        let _never_fails = writeln!(self.text, "{indentation}{line}");
    }

    fn level(&mut self, level: &Outline, depth: usize) {
        let Some(number) = self.numbers.get(level.name.as_str()).copied() else { return };
        let label = format!("{}<br/><small>{}</small>", quoted(&level.title), quoted(&level.what));
        if level.parts.is_empty() && level.beside.is_empty() {
            return self.line(depth, format_args!("n{number}[\"{label}\"]"));
        }
        self.line(depth, format_args!("subgraph n{number}[\"{label}\"]"));
        let direction = match level.arrangement {
            Arrangement::Down => "TB",
            Arrangement::Across => "LR",
        };
        self.line(depth + 1, format_args!("direction {direction}"));
        for part in level.parts.iter().chain(&level.beside) {
            self.level(part, depth + 1);
        }
        self.line(depth, format_args!("end"));
        if level.arrangement == Arrangement::Down {
            for (before, after) in level.parts.iter().zip(level.parts.iter().skip(1)) {
                self.arrow(&before.name, "-->", after.relation.as_deref(), &after.name);
            }
        }
        for beside in &level.beside {
            let undone = beside.relation.as_deref().and_then(|text| text.strip_prefix("undoes "));
            match undone {
                Some(undone) => self.arrow(undone, "-.->", Some("undone by"), &beside.name),
                None => self.arrow(&level.name, "-.->", beside.relation.as_deref(), &beside.name),
            }
        }
    }

    fn arrow(&mut self, from: &str, arrow: &str, label: Option<&str>, to: &str) {
        let (Some(from), Some(to)) = (self.numbers.get(from).copied(), self.numbers.get(to).copied()) else {
            return;
        };
        match label {
            Some(label) => {
                let label = quoted(label);
                self.line(1, format_args!("n{from} {arrow}|\"{label}\"| n{to}"));
            }
            None => self.line(1, format_args!("n{from} {arrow} n{to}")),
        }
    }
}

/// Text inside quotation marks, with what Mermaid and HTML would read as their own escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => quoted.push_str("&amp;"),
            '<' => quoted.push_str("&lt;"),
            '>' => quoted.push_str("&gt;"),
            '"' => quoted.push_str("&quot;"),
            '`' => quoted.push_str("&#96;"),
            other if other.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted
}
