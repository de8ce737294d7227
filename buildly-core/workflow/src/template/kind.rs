//! What a level does: the kinds, and what each needs to know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Delay, Level};

/// What a level does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// Levels one after the other; its result is that of the last.
    Sequence(Vec<Level>),
    /// Levels at the same time; all of them are needed.
    Parallel(Vec<Level>),
    /// Levels at the same time; so many of them are needed, the rest is stopped and undone.
    Any(Any),
    /// Levels at the same time; the first to complete is enough.
    Race(Vec<Level>),
    /// One level for each item of a list.
    ForEach(ForEach),
    /// One level again and again.
    Loop(Loop),
    /// A person does it.
    Task(Task),
    /// A service does it.
    Call(Call),
    /// Records are read through the mesh.
    Read(Read),
    /// One of several levels, chosen by conditions.
    Decide(Decide),
    /// Time passes, or a signal comes.
    Wait(Wait),
    /// Another template runs.
    Run(SubRun),
    /// A fact is written into the journal.
    Emit(Emit),
}

/// So many of several levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Any {
    /// How many must complete.
    pub needed: u32,
    /// Which.
    pub levels: Vec<Level>,
}

/// One level for each item of a list. Expressions in it read `item` and `index`; its result is
/// the list of the level's results, in the order of the items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForEach {
    /// CEL, a list.
    pub items: String,
    /// How many items are worked on at once.
    #[serde(default = "ForEach::one_at_once")]
    pub at_once: u32,
    /// The most items; a longer list is a fault.
    #[serde(default = "ForEach::default_bound")]
    pub bound: u32,
    /// What is done with each.
    pub level: Box<Level>,
}

impl ForEach {
    const fn one_at_once() -> u32 {
        1
    }

    const fn default_bound() -> u32 {
        1_000
    }
}

/// One level again and again. Expressions in it read `index` and `last` (the result of the round before).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loop {
    /// CEL, a boolean, asked after each round: whether there is another. It reads `last` and `index`.
    #[serde(rename = "while")]
    pub condition: String,
    /// The most rounds; wanting more is a fault.
    #[serde(default = "ForEach::default_bound")]
    pub bound: u32,
    /// What is done in each.
    pub level: Box<Level>,
}

/// A person's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The group that may do it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// CEL, a text: the user who shall do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The JSON Schema of what is filled in; the level's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Value>,
    /// CEL: what the person is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show: Option<String>,
}

/// An operation of a registered service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Service and `operationId`: `crm.create_contact`.
    pub operation: String,
    /// CEL, by parameter of the operation (path, query or header, as its document says).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// CEL: the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// CEL over `answer` (`status`, `body`): the level's result; without it the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// Records, read through the mesh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Service and record type: `crm.contacts`.
    pub records: String,
    /// CEL, by query parameter (filters, `join`, the key of one record as `key`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// CEL over `answer` (`status`, `body`): the level's result; without it the answer's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// One of several levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// Asked in this order; the first that is true is taken.
    pub branches: Vec<Choice>,
    /// What is done if none is; without it, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Box<Level>>,
}

/// One way of a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// CEL, a boolean.
    #[serde(rename = "if")]
    pub condition: String,
    /// What is done then.
    pub level: Level,
}

/// Time passes, or a signal comes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Wait {
    /// So long.
    For(Delay),
    /// Until the clock of a place shows this.
    Until(LocalDate),
    /// Until somebody sends it; its payload is the level's result.
    Signal(WaitSignal),
}

/// A date and time as the clock of a place shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalDate {
    /// CEL, a text such as `2026-12-24T09:00`.
    pub date: String,
    /// The IANA time zone, such as `Europe/Berlin`.
    pub zone: String,
}

/// A signal that is waited for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitSignal {
    /// Its name.
    pub name: String,
    /// CEL: the result if the level's deadline passes first; without it that is a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A run of another template; its result is the level's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubRun {
    /// The other template's name.
    pub template: String,
    /// CEL: what the run is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

/// A fact for the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emit {
    /// What happened, such as `contact.onboarded`.
    pub event: String,
    /// CEL: the facts; the level's result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}
