//! The state of a run: what is live, what it knows, what would have to be undone.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use buildly_model::{RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{End, Fault};

/// The version of the stored form.
pub const STATE_FORMAT: u32 = 1;

/// A level's place in the compiled template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LevelId(pub u16);

/// The number of one entry into a level, unique in its run and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActivationId(pub u64);

impl fmt::Display for ActivationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// All that a run is, between two steps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The version of this form; [`STATE_FORMAT`].
    pub format: u32,
    /// Which run; `None` before it starts.
    pub run: Option<RunId>,
    /// Who started it.
    pub starter: String,
    /// How many events lie between it and what somebody did.
    #[serde(default)]
    pub caused: u16,
    /// What it was given.
    pub input: Value,
    /// What people set.
    pub variables: Map<String, Value>,
    /// The number of the next activation.
    pub next_activation: u64,
    /// The number of the next completion that can be undone.
    pub next_completion: u64,
    /// The live activations; a finished subtree is only its result.
    pub activations: BTreeMap<ActivationId, Activation>,
    /// Results and links, by the activation that opened the scope.
    pub scopes: BTreeMap<ActivationId, Scope>,
    /// What happened or may have happened and can be undone, by completion.
    pub undo: BTreeMap<u64, Undo>,
    /// What was undone though nobody knew whether it had happened, by its activation.
    pub doubts: BTreeMap<ActivationId, Doubt>,
    /// Who completed which task.
    pub completers: BTreeMap<LevelId, String>,
    /// Signals that nobody waits for yet.
    pub signals: VecDeque<KeptSignal>,
    /// The keys of the last signals.
    pub signals_seen: VecDeque<String>,
    /// Whether nothing new may begin.
    pub paused: bool,
    /// How many compensations succeeded.
    pub undone: u64,
    /// About how many bytes the values take that are kept.
    pub values_bytes: u64,
    /// How it ended.
    pub end: Option<End>,
}

/// One live entry into a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    /// Its number.
    pub id: ActivationId,
    /// Which level.
    pub level: LevelId,
    /// The activation that waits for it.
    pub parent: Option<ActivationId>,
    /// Where it reads and writes results.
    pub scope: ActivationId,
    /// Its place among its siblings: position, item or round.
    pub index: u32,
    /// What it is for its parent.
    pub role: Role,
    /// What it does just now.
    pub phase: Phase,
    /// The attempts made.
    pub attempt: u32,
    /// The request's bytes, once fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Whether an attempt may have happened without our knowing.
    #[serde(default)]
    pub unsure: bool,
    /// The branches open beside it.
    #[serde(default)]
    pub beside: u32,
    /// When it has taken too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The items of a for-each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
}

/// What an activation is for its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A part of its work.
    Body,
    /// The branch that took its place.
    Handler,
    /// A branch beside it.
    Beside,
    /// It undoes the completion of this number.
    Undo(u64),
}

/// The items of a for-each: never an activation for each, only for those being worked on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Each {
    /// All of them.
    pub items: Vec<Value>,
    /// The next to begin.
    pub next: u32,
    /// The result of each, `null` until it is there.
    pub results: Vec<Value>,
}

/// What an activation does just now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waits for its links.
    Linked,
    /// Will begin, or try again, in this step or (paused, or at the bound) in a later one.
    Ready,
    /// An effect is out.
    Calling,
    /// Pauses before the next attempt.
    Backoff {
        /// Until then.
        due: Timestamp,
    },
    /// Waits for time to pass.
    Waiting {
        /// Until then.
        due: Timestamp,
        /// Date and zone it was computed from, since the rules of a zone can change meanwhile.
        rule: Option<(String, String)>,
    },
    /// Waits for a signal.
    WaitingSignal,
    /// A person has it.
    Task {
        /// Who took it.
        claimed_by: Option<String>,
    },
    /// Another run has it.
    SubRun,
    /// Waits for its parts.
    Joining {
        /// Completed.
        done: u32,
        /// Failed and undone.
        failed: u32,
        /// Skipped.
        dead: u32,
        /// Still live.
        open: u32,
    },
    /// Its place is taken by the branch of this number.
    Handling {
        /// Which of `on`.
        branch: u32,
    },
    /// Done, but for branches beside it.
    Draining {
        /// What it came to.
        result: Value,
    },
    /// Needs attention: a person decides.
    Stuck {
        /// Why.
        fault: Fault,
    },
    /// Nothing new begins in it; calls in flight settle.
    Cancelling {
        /// What follows.
        then: Then,
        /// Whether its own call is still out.
        is_calling: bool,
        /// The calls below it that are still out.
        open: u32,
    },
    /// What it did is being undone.
    Undoing {
        /// What follows.
        then: Then,
    },
}

impl Phase {
    /// A word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Ready => "ready",
            Self::Calling => "calling",
            Self::Backoff { .. } => "backoff",
            Self::Waiting { .. } => "waiting",
            Self::WaitingSignal => "waiting_signal",
            Self::Task { .. } => "task",
            Self::SubRun => "sub_run",
            Self::Joining { .. } => "joining",
            Self::Handling { .. } => "handling",
            Self::Draining { .. } => "draining",
            Self::Stuck { .. } => "stuck",
            Self::Cancelling { .. } => "cancelling",
            Self::Undoing { .. } => "undoing",
        }
    }

    /// Whether it is on its way out.
    #[must_use]
    pub const fn is_ending(&self) -> bool {
        matches!(self, Self::Cancelling { .. } | Self::Undoing { .. })
    }
}

/// What follows once a cancelled activation has settled and is undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// Nothing: whoever cancelled it undoes it in the right order.
    Drop,
    /// Nothing: it was no longer needed by its parent.
    Forget,
    /// The branch of this number takes its place.
    Handle {
        /// Which of `on`.
        branch: u32,
        /// What expressions in it read.
        given: Map<String, Value>,
    },
    /// It begins anew.
    Reenter,
    /// It counts as failed for its parent.
    Fail(Fault),
    /// It needs attention.
    Stick(Fault),
    /// The run ends.
    End(End),
}

/// Where results are kept: one for the run, each item, each round, each branch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// The scope around it.
    pub parent: Option<ActivationId>,
    /// `item`, `index`, `last`, `fault`, `signal`.
    pub given: Map<String, Value>,
    /// Results, by level.
    pub results: BTreeMap<LevelId, Value>,
    /// Links that have been decided: whether alive.
    pub links: BTreeMap<u16, bool>,
}

/// Something that happened, or may have, and how to undo it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    /// What happened.
    pub activation: ActivationId,
    /// The activations it was in, outermost first.
    pub path: Vec<ActivationId>,
    /// The compensating level.
    pub level: LevelId,
    /// Its request with the values as they were, or why there is none.
    pub request: Result<String, String>,
    /// Whether nobody knows that it happened.
    pub unsure: bool,
    /// Whether its compensation has begun.
    pub begun: bool,
}

/// How to undo something once more, should it turn out to have happened after its compensation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Doubt {
    /// The compensating level.
    pub level: LevelId,
    /// Its request.
    pub request: Result<String, String>,
}

/// A signal that nobody waits for yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptSignal {
    /// Its name.
    pub name: String,
    /// What it carries.
    pub payload: Value,
}

/// How a run stands, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not begun.
    New,
    /// On its way.
    Running,
    /// Nothing new begins.
    Paused,
    /// A person must decide.
    NeedsAttention,
    /// What it did is being undone.
    Undoing,
    /// Done.
    Completed,
    /// Failed; there was nothing to undo.
    Failed,
    /// Failed; what had happened is undone.
    Compensated,
    /// Cancelled.
    Cancelled,
}

impl State {
    /// The root's activation.
    pub const ROOT: ActivationId = ActivationId(1);

    /// A run that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self { format: STATE_FORMAT, next_activation: 1, next_completion: 1, ..Self::default() }
    }

    /// How it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        match &self.end {
            Some(End::Completed { .. }) => return Status::Completed,
            Some(End::Failed { .. }) if self.undone > 0 => return Status::Compensated,
            Some(End::Failed { .. }) => return Status::Failed,
            Some(End::Cancelled { .. }) => return Status::Cancelled,
            None if self.run.is_none() => return Status::New,
            None => {}
        }
        if self.activations.values().any(|live| matches!(live.phase, Phase::Stuck { .. })) {
            Status::NeedsAttention
        } else if self.paused {
            Status::Paused
        } else if self.activations.get(&Self::ROOT).is_some_and(|root| root.phase.is_ending()) {
            Status::Undoing
        } else {
            Status::Running
        }
    }

    /// Whether it takes no more input.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// The idempotency key of an activation; empty before the run has begun.
    #[must_use]
    pub fn key(&self, activation: ActivationId) -> String {
        self.run.map(|run| format!("{run}:{activation}")).unwrap_or_default()
    }
}
