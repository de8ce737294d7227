//! What goes wrong in a run, and how a run ends.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of fault it is; `on` branches choose by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The service refused for a reason of the business (4xx); another attempt would not help.
    Refused,
    /// Whoever the level acts for has lost the right; the level stops in `needs attention`.
    Forbidden,
    /// The service cannot be reached or is broken (5xx); another attempt may help.
    Unavailable,
    /// The service asks to come later (429, 503).
    Busy,
    /// No answer in time; nobody knows what happened.
    Timeout,
    /// The level's deadline has passed.
    Deadline,
    /// An expression has no value, or one of the wrong type.
    Expression,
    /// A bound of the template or of the engine is exceeded.
    Limit,
    /// Too few of the levels of a stage completed.
    Join,
    /// The run of another template failed or was cancelled.
    SubRun,
}

impl FaultKind {
    /// Whether a later attempt can come to another end.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Unavailable | Self::Busy | Self::Timeout => true,
            Self::Refused
            | Self::Forbidden
            | Self::Deadline
            | Self::Expression
            | Self::Limit
            | Self::Join
            | Self::SubRun => false,
        }
    }
}

/// What went wrong, as branches and people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The kind.
    pub kind: FaultKind,
    /// The level where it arose, by name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub level: String,
    /// A sentence for people.
    pub message: String,
    /// The service's HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The service's own code for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Fault {
    /// A fault of this kind; the engine adds the level.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, level: String::new(), message: message.into(), status: None, code: None }
    }

    /// As expressions of a branch read it.
    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All that was needed is done.
    Completed {
        /// The result of its last level.
        result: Value,
    },
    /// A fault was caught by nobody; what had happened is undone.
    Failed {
        /// Which.
        fault: Fault,
    },
    /// Somebody cancelled it; what had happened is undone.
    Cancelled {
        /// Why.
        reason: String,
    },
}
