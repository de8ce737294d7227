//! What a step wants to have done, as data.

use std::time::Duration;

use buildly_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ActivationId;

/// Something outside of our store, to be performed once the step is committed; at least once,
/// with the same key and bytes each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Whose.
    pub activation: ActivationId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The idempotency key: run and activation. Equal for all attempts.
    pub key: String,
    /// The level's name, for logs and people.
    pub level: String,
    /// As whom.
    pub acting: ActingAs,
    /// What, as JSON text: a [`Request`](crate::step::Request). Its bytes are those of the first attempt.
    pub request: String,
    /// How long the attempt may take.
    pub timeout: Duration,
}

/// As whom an effect is performed; the right is checked at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActingAs {
    /// Who started the run, as the journal writes actors.
    Starter(String),
    /// A service account, by name.
    Account(String),
    /// Who completed a task.
    Completer(String),
}

/// A change of our own records that goes into the step's unit: exactly once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A person has work.
    OpenTask {
        /// The level's activation; with the run it is the task's identity.
        activation: ActivationId,
        /// The level's name; the template has the form.
        level: String,
        /// The group that may do it.
        group: Option<String>,
        /// The user who shall do it.
        user: Option<String>,
        /// What the person is shown.
        show: Value,
        /// Until when.
        due: Option<Timestamp>,
    },
    /// Somebody took it.
    ClaimTask {
        /// Which.
        activation: ActivationId,
        /// Who.
        by: String,
    },
    /// It is done or no longer wanted.
    CloseTask {
        /// Which.
        activation: ActivationId,
    },
    /// Another template runs.
    StartRun {
        /// The level's activation; the other run reports to it.
        activation: ActivationId,
        /// The same key starts it once.
        key: String,
        /// The other template's name.
        template: String,
        /// What it is given.
        input: Value,
    },
    /// The other run shall be cancelled; its end is still reported.
    CancelRun {
        /// The level's activation.
        activation: ActivationId,
    },
}

/// A timer is set, moved, or no longer needed; there is one of a kind for each activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Whose.
    pub activation: ActivationId,
    /// Which.
    pub kind: TimerKind,
    /// When; `None` removes it.
    pub due: Option<Timestamp>,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// The end of a wait.
    Wait,
    /// The next attempt of a call.
    Retry,
    /// The level has taken too long.
    Deadline,
}
