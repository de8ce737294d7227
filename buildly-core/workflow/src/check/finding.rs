//! What is wrong with a template, for the person who writes it.

use std::fmt;

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot be published.
    Error,
    /// It can, but look at it.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The level, by name.
    pub level: String,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub mending: String,
}

impl Finding {
    /// Whether it keeps the template from being published.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    pub(crate) fn error(level: &str, reason: impl Into<String>, mending: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            level: level.to_owned(),
            reason: reason.into(),
            mending: mending.into(),
        }
    }

    pub(crate) fn warning(level: &str, reason: impl Into<String>, mending: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(level, reason, mending) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "level `{}`: {}; {}", self.level, self.reason, self.mending)
    }
}
