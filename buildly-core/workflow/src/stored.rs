//! What is kept of templates, runs and people's work, as the storages hold it.

use std::fmt;
use std::str::FromStr;

use buildly_model::{OrganizationId, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ActivationId, Event, Input, Status, TemplateHash, TimerKind};

/// Where a version of a template stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateStatus {
    /// It can be changed, and no run is made of it.
    Draft,
    /// It never changes, and runs are made of it.
    Published,
    /// Its runs go on; no new ones are made of it.
    Retired,
}

/// One version of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTemplate {
    /// Whose.
    pub organization: OrganizationId,
    /// The template's name.
    pub name: String,
    /// Its version, from 1.
    pub version: u32,
    /// Where it stands.
    pub status: TemplateStatus,
    /// A line for people.
    pub title: Option<String>,
    /// The template as JSON text.
    pub document: String,
    /// The hash of what it does.
    pub hash: TemplateHash,
    /// When it was last saved, published or retired.
    pub updated_at: Timestamp,
}

/// Which templates to list; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateFilter {
    /// Only versions of this name.
    pub name: Option<String>,
    /// Only versions that stand so.
    pub status: Option<TemplateStatus>,
}

/// What people see of a run in lists.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Its id.
    pub id: RunId,
    /// Whose.
    pub organization: OrganizationId,
    /// The template's name.
    pub template: String,
    /// The template's version.
    pub template_version: u32,
    /// How it stands.
    pub status: Status,
    /// What people call it by, such as an order's number.
    pub business_key: Option<String>,
    /// Who started it, as the journal writes actors.
    pub starter: String,
    /// The run and level that wait for it.
    pub parent: Option<(RunId, ActivationId)>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// A run with its state.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// What lists show.
    pub summary: RunSummary,
    /// Goes up with every step.
    pub version: u64,
    /// How many events it has.
    pub events: u64,
    /// Its [`State`](crate::State), as JSON text.
    pub state: String,
}

/// Which runs to list; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only runs of this template.
    pub template: Option<String>,
    /// Only runs that stand so.
    pub status: Option<Status>,
    /// Only runs that have, or have not, ended.
    pub is_ended: Option<bool>,
    /// Only runs of this business key.
    pub business_key: Option<String>,
    /// Only runs that were started for this one.
    pub parent: Option<RunId>,
}

/// One event of a run's history.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEvent {
    /// Its number in the run, from 1, without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// Whether somebody still has to do a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Nobody has taken it.
    Open,
    /// Somebody has.
    Claimed,
    /// It is done, or no longer wanted.
    Closed,
}

/// A person's work.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTask {
    /// Whose.
    pub organization: OrganizationId,
    /// Of which run.
    pub run: RunId,
    /// The level's activation; with the run it is the task's identity.
    pub activation: ActivationId,
    /// The run's template.
    pub template: String,
    /// The version of it, which has the form.
    pub template_version: u32,
    /// The level's name.
    pub level: String,
    /// The group that may do it.
    pub group: Option<String>,
    /// The user who shall do it: name or id.
    pub user: Option<String>,
    /// Who took it, as the journal writes actors.
    pub claimed_by: Option<String>,
    /// What the person is shown.
    pub show: Value,
    /// Until when.
    pub due: Option<Timestamp>,
    /// Whether there is something to do.
    pub status: TaskStatus,
    /// When it was given out.
    pub created_at: Timestamp,
}

/// Which tasks to list; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only tasks of this run.
    pub run: Option<RunId>,
    /// Only tasks that stand so.
    pub status: Option<TaskStatus>,
    /// Only tasks that somebody may do.
    pub doer: Option<Doer>,
}

/// Somebody, as tasks name people: a task is theirs if it names one of the groups or names, and
/// nobody else has taken it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doer {
    /// Who, as the journal writes actors.
    pub actor: String,
    /// The names that a task may call the person by.
    pub names: Vec<String>,
    /// The names of the person's groups.
    pub groups: Vec<String>,
}

impl Doer {
    /// Whether the person may do a task, whoever has taken it.
    #[must_use]
    pub fn may_do(&self, task: &StoredTask) -> bool {
        task.user.as_ref().is_some_and(|user| self.names.contains(user))
            || task.group.as_ref().is_some_and(|group| self.groups.contains(group))
    }
}

/// The number of a row of the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InboxId(pub u64);

/// An input that waits to be taken by its run.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Its row.
    pub id: InboxId,
    /// Whose.
    pub organization: OrganizationId,
    /// For which run.
    pub run: RunId,
    /// What.
    pub input: Input,
}

/// A timer whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueTimer {
    /// Whose.
    pub organization: OrganizationId,
    /// Of which run.
    pub run: RunId,
    /// Of which activation.
    pub activation: ActivationId,
    /// Which of its timers.
    pub kind: TimerKind,
    /// When it was due.
    pub due: Timestamp,
}

/// One read of a list: rows, and the place to read on from.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The place to read on from; `None` if this is the end.
    pub next: Option<u64>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), next: None }
    }
}

/// A word that is none of those that are stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {expected}")]
pub struct ParseWordError {
    expected: &'static str,
}

macro_rules! words {
    ($name:ident, $expected:literal, $($variant:ident = $word:literal),*) => {
        impl $name {
            /// The word for it, in the storages and on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = ParseWordError;

            fn from_str(text: &str) -> Result<Self, ParseWordError> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(ParseWordError { expected: $expected }),
                }
            }
        }
    };
}

words!(
    TemplateStatus,
    "`draft`, `published`, `retired`",
    Draft = "draft",
    Published = "published",
    Retired = "retired"
);
words!(TaskStatus, "`open`, `claimed`, `closed`", Open = "open", Claimed = "claimed", Closed = "closed");
words!(TimerKind, "`wait`, `retry`, `deadline`", Wait = "wait", Retry = "retry", Deadline = "deadline");
words!(
    Status,
    "`new`, `running`, `paused`, `needs_attention`, `undoing`, `completed`, `failed`, `compensated`, `cancelled`",
    New = "new",
    Running = "running",
    Paused = "paused",
    NeedsAttention = "needs_attention",
    Undoing = "undoing",
    Completed = "completed",
    Failed = "failed",
    Compensated = "compensated",
    Cancelled = "cancelled"
);
