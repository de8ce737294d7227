//! What a run takes.

use buildly_model::RunId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ActivationId, End, Fault, TimerKind};

/// What begins a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The run's id; part of every idempotency key.
    pub run: RunId,
    /// What it is given.
    pub input: Value,
    /// Who started it, as the journal writes actors.
    pub starter: String,
    /// How many events lie between this run and what somebody did: a run that an event started
    /// can emit the next.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub caused: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u16) -> bool {
    *number == 0
}

/// Something that happens to a run.
///
/// Inputs of machines (answers, timers, ends of other runs) are never refused: outdated ones
/// become [`Event::Late`](super::Event::Late). Inputs of people that the run's state does not
/// take are a conflict, so that they look again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// It begins.
    Started(Start),
    /// An effect has an outcome.
    Answered(Answer),
    /// A timer is due.
    TimerFired {
        /// Whose.
        activation: ActivationId,
        /// Which of its timers.
        kind: TimerKind,
    },
    /// Somebody takes a task.
    TaskClaimed {
        /// Which.
        activation: ActivationId,
        /// Who, as the journal writes actors.
        by: String,
    },
    /// Somebody has done a task.
    TaskCompleted {
        /// Which.
        activation: ActivationId,
        /// Who.
        by: String,
        /// What was filled in.
        data: Value,
    },
    /// A signal came.
    Signal {
        /// Its name.
        name: String,
        /// Two signals with the same key are one.
        dedup: String,
        /// What it carries.
        payload: Value,
    },
    /// The run of another template has ended.
    ChildEnded {
        /// The level that started it.
        activation: ActivationId,
        /// How.
        end: End,
    },
    /// It shall end and undo what it did.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Nothing new shall begin.
    Pause,
    /// It goes on.
    Resume,
    /// A level is done anew, from its beginning, with a new key.
    Retry {
        /// Which.
        activation: ActivationId,
        /// That nobody knows what the last attempt did is accepted.
        waive: bool,
    },
    /// A compensation that failed is given up: a person has seen to it.
    Skip {
        /// Which.
        activation: ActivationId,
    },
    /// Variables get new values; levels that begin later see them.
    SetVariables {
        /// By name.
        values: Map<String, Value>,
    },
    /// The step before stopped at its bound.
    Continue,
}

/// The outcome of one attempt of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Whose.
    pub activation: ActivationId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Done {
        /// The HTTP status.
        status: u16,
        /// The answer's body.
        body: Value,
    },
    /// It certainly did not happen.
    Refused(Fault),
    /// It may have happened.
    Unknown(Fault),
}

impl Outcome {
    /// A word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Refused(_) => "refused",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl Input {
    /// A word for messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started(_) => "start",
            Self::Answered(_) => "answer",
            Self::TimerFired { .. } => "timer",
            Self::TaskClaimed { .. } => "claim",
            Self::TaskCompleted { .. } => "completion",
            Self::Signal { .. } => "signal",
            Self::ChildEnded { .. } => "end of a sub-workflow",
            Self::Cancel { .. } => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Retry { .. } => "retry",
            Self::Skip { .. } => "skip",
            Self::SetVariables { .. } => "variables",
            Self::Continue => "continue",
        }
    }
}
