//! The template and its levels: what all kinds have in common.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Actor, Delay, Kind, Retry};

/// The version of the format that this release writes and reads.
pub(super) const FORMAT: u32 = 1;

/// A tree of levels, with what a run of it is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The version of the format; 1.
    #[serde(default = "Template::current_format")]
    pub format: u32,
    /// Its name in the organization, and that of its root level.
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A paragraph for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema that a run's input must satisfy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// The events of the organization that start a run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub starts: Vec<StartEvent>,
    /// What a fault that nobody catches does to the run.
    #[serde(default)]
    pub unhandled: Unhandled,
    /// How long a run may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Delay>,
    /// What catches faults, the deadline and signals of the whole run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Branch>,
    /// What is done, in this order.
    pub levels: Vec<Level>,
}

impl Template {
    const fn current_format() -> u32 {
        FORMAT
    }
}

/// An event that starts a run: one that a run emits, or that is reported from outside.
///
/// Expressions in it read `event`, what the event carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartEvent {
    /// Its name.
    pub event: String,
    /// CEL, a boolean: if it is false nothing is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// CEL: what the run is given; what the event carries if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

/// What a fault that nobody catches does to the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unhandled {
    /// Everything that happened is undone, and the run has failed.
    #[default]
    Undo,
    /// The level stops in `needs attention`: a person retries it or cancels the run.
    Attention,
}

/// One node of the tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its name, unique in the template; expressions read its result as `levels.NAME`.
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A paragraph for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it does.
    #[serde(rename = "do")]
    pub kind: Kind,
    /// CEL, a boolean: if it is false the level is skipped, and links from it are dead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Levels that must have ended before this one begins, wherever they stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// What it takes of a link from a level that will not run.
    #[serde(default)]
    pub join: LinkJoin,
    /// The level that this one undoes. It never runs in the order of the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensates: Option<String>,
    /// As whom it acts.
    #[serde(rename = "as", default)]
    pub actor: Actor,
    /// How attempts are repeated; without it there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How long one attempt of a call may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Delay>,
    /// How long the whole level may take, with all attempts and all that is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Delay>,
    /// What catches its faults, its deadline and signals while it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Branch>,
}

/// What a level takes of its links (`after`) as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkJoin {
    /// It needs all; one dead link and it is skipped.
    #[default]
    All,
    /// It needs one; it is skipped only if all are dead.
    Any,
}

/// What is done when something happens to a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// What must happen.
    pub event: BranchEvent,
    /// Whether the level is stopped and undone first (then the branch's result is the level's),
    /// or goes on beside the branch. A fault always stops it.
    #[serde(default = "Branch::interrupts")]
    pub interrupting: bool,
    /// What is done then; expressions in it read `fault` or `signal`.
    pub level: Box<Level>,
}

impl Branch {
    const fn interrupts() -> bool {
        true
    }
}

/// What an `on` branch waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BranchEvent {
    /// A fault in the level or below it, that nothing nearer catches.
    Fault(FaultFilter),
    /// The level's deadline has passed.
    Deadline,
    /// A signal of this name comes while the level runs.
    Signal(String),
}

/// Which faults a branch catches; an empty list means any.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultFilter {
    /// Kinds, such as `refused`, `timeout`, `expression`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<crate::FaultKind>,
    /// HTTP status codes of the service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<u16>,
    /// Error codes of the service (the member `code` or `type` of its answer).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
}

impl FaultFilter {
    /// Whether the branch catches it.
    #[must_use]
    pub fn catches(&self, fault: &crate::Fault) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&fault.kind))
            && (self.statuses.is_empty()
                || fault.status.is_some_and(|status| self.statuses.contains(&status)))
            && (self.codes.is_empty() || fault.code.as_ref().is_some_and(|code| self.codes.contains(code)))
    }
}
