//! Pictures of templates and runs.

use std::str::FromStr;

use buildly_core::workflow::Template;
use buildly_core::workflow::picture::{Marks, Outline, mermaid, svg};
use http::StatusCode;

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
            let mut text = String::new();
            write_text(&outline, marks, 0, &mut text);
            Response::text(StatusCode::OK, text)
        }
    }
}

/// A line a level, indented.
fn write_text(outline: &Outline, marks: &Marks, depth: usize, text: &mut String) {
    text.push_str(&"  ".repeat(depth));
    if let Some(relation) = &outline.relation {
        text.push_str(&format!("({relation}) "));
    }
    text.push_str(&format!("{}: {}", outline.name, outline.what));
    if let Some(mark) = marks.get(&outline.name) {
        text.push_str(&format!(" [{}]", mark.name()));
    }
    text.push('\n');
    for part in outline.parts.iter().chain(&outline.beside) {
        write_text(part, marks, depth + 1, text);
    }
}
