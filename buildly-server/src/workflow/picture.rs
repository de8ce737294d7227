//! Pictures of templates and runs.

use std::fmt;
use std::str::FromStr;

use buildly_core::workflow::Template;
use buildly_core::workflow::picture::{Marks, Outline, mermaid, svg};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Response;

/// How a picture is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// For pages.
    #[default]
    Svg,
    /// For documents that render it.
    Mermaid,
    /// For terminals.
    Text,
}

impl FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "svg" => Ok(Self::Svg),
            "mermaid" => Ok(Self::Mermaid),
            "text" => Ok(Self::Text),
            _ => Err(()),
        }
    }
}

pub(super) fn draw(template: &Template, marks: &Marks, format: Format) -> Response {
    let outline = Outline::of(template);
    match format {
        Format::Svg => Response::bytes(StatusCode::OK, "image/svg+xml", svg(&outline, marks)),
        Format::Mermaid => Response::text(StatusCode::OK, mermaid(&outline, marks)),
        Format::Text => {
            let text = lines(&outline, marks).iter().map(|line| format!("{line}\n")).collect::<String>();
            Response::text(StatusCode::OK, text)
        }
    }
}

/// A level on a line of its own, indented below the one that it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) level: String,
    pub(crate) text: String,
    /// How it stands; `None` if it was not reached.
    pub(crate) mark: Option<String>,
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)?;
        self.mark.iter().try_for_each(|mark| write!(formatter, " [{mark}]"))
    }
}

/// The whole outline, a line a level.
pub(crate) fn lines(outline: &Outline, marks: &Marks) -> Vec<Line> {
    let mut lines = Vec::new();
    draw_line(outline, marks, 0, &mut lines);
    lines
}

fn draw_line(outline: &Outline, marks: &Marks, depth: usize, lines: &mut Vec<Line>) {
    let relation = outline.relation.iter().map(|relation| format!("({relation}) ")).collect::<String>();
    lines.push(Line {
        level: outline.name.clone(),
        text: format!("{}{relation}{}: {}", "  ".repeat(depth), outline.name, outline.what),
        mark: marks.get(&outline.name).map(|mark| mark.name().to_owned()),
    });
    for part in outline.parts.iter().chain(&outline.beside) {
        draw_line(part, marks, depth + 1, lines);
    }
}
