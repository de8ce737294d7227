//! Pictures of templates and of runs: an outline for terminals, Mermaid and SVG for pages.
//!
//! All of them draw the same [`Outline`]; a run is its template's picture with [`Marks`].
//!
//! ```
//! use buildly_workflow::{Template, picture};
//!
//! let template = Template::from_json(br#"{"name": "greet", "levels": [
//!     {"name": "hello", "do": {"emit": {"event": "greeted"}}}
//! ]}"#).unwrap();
//! let outline = picture::Outline::of(&template);
//! assert!(picture::mermaid(&outline, &picture::Marks::default()).starts_with("flowchart TD"));
//! ```

mod mermaid;
mod outline;
mod progress;
mod svg;

use std::collections::BTreeMap;

pub use mermaid::mermaid;
pub use outline::{Arrangement, Outline};
pub use progress::progress;
pub use svg::svg;

/// How a level of a run stands, as a picture shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is being worked on, or waits.
    Live,
    /// It is done.
    Completed,
    /// It was passed over.
    Skipped,
    /// It went wrong, or a person must decide.
    Failed,
    /// It was done and is undone.
    Undone,
}

impl Mark {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Completed => "completed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Undone => "undone",
        }
    }

    /// Colours that are told apart in print and by colour-blind people too: fill and line.
    const fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Live => ("#fff3c4", "#b7791f"),
            Self::Completed => ("#d5f0dc", "#2f7d4a"),
            Self::Skipped => ("#eeeeee", "#9a9a9a"),
            Self::Failed => ("#fbd5d5", "#b3261e"),
            Self::Undone => ("#e3daf3", "#6b4fa0"),
        }
    }
}

/// How the levels of a run stand, by name; a level that is not there was not reached.
pub type Marks = BTreeMap<String, Mark>;

#[cfg(test)]
mod tests;
