//! What the workflow area can change.

use std::time::Duration;

use buildly_journal::LeaseId;
use buildly_model::{RunId, Timestamp};

use crate::{
    ActivationId, Command, Effect, EffectId, Event, InboxId, Input, RunSummary, Status, StoredTemplate,
    TemplateStatus, Timer, TimerKind,
};

/// What can change. All of it belongs to the organization of the part.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds a version of a template, or replaces it while it is a draft; `Taken` (`version`) if
    /// that version is published or retired.
    TemplateSaved(StoredTemplate),
    /// Moves a version on; `Stale` if it is not in the state `from`, or its hash is another.
    TemplateMoved {
        /// The version as it shall be.
        template: StoredTemplate,
        /// The state that it must be in.
        from: TemplateStatus,
    },
    /// Removes a draft; `Missing` if there is none.
    DraftDeleted {
        /// The template's name.
        name: String,
        /// The version.
        version: u32,
    },
    /// Adds a run that has not begun; `Taken` (`key`) if the organization has a run of that
    /// start key.
    RunStarted {
        /// The run, as it is before its first step: version 0, no events.
        run: RunSummary,
        /// The same key starts it once.
        start_key: Option<String>,
        /// Its state, as JSON text.
        state: String,
        /// The input that begins it, put into its inbox; `None` if its first step is in the same
        /// unit.
        input: Option<Input>,
    },
    /// Writes what a step did to a run; see [`Stepped`].
    RunStepped(Box<Stepped>),
    /// Puts an input into a run's inbox. One with the same key is there once, as long as it
    /// waits: the second changes nothing, without an error. `Missing` if there is no such run.
    InputQueued {
        /// For which run.
        run: RunId,
        /// Equal for inputs that are the same.
        key: String,
        /// When.
        at: Timestamp,
        /// What.
        input: Input,
    },
    /// Writes a row of [`crate::levels`].
    Level(Box<crate::levels::Change>),
}

/// What one or several steps did to a run. `Stale` if the run has another version than
/// [`Stepped::expected_version`], `Missing` if it is not there or one of [`Stepped::used`] is
/// not; nothing is written then.
#[derive(Debug, Clone, PartialEq)]
pub struct Stepped {
    /// Which run.
    pub run: RunId,
    /// The version that it was decided from; it becomes one more.
    pub expected_version: u64,
    /// What the decision was made from, and is removed.
    pub used: Vec<Used>,
    /// The new state, as JSON text.
    pub state: String,
    /// How it stands now.
    pub status: Status,
    /// When it was decided.
    pub at: Timestamp,
    /// Whether the run has ended with it.
    pub is_ended: bool,
    /// What happened, numbered on from the run's events before.
    pub events: Vec<Event>,
    /// What is to be performed; ready at once.
    pub effects: Vec<Effect>,
    /// The number of the first effect's row, the others have the next ones; `Taken` (`effect`)
    /// if there is one of them. Numbers say which effects are older.
    pub first_effect: EffectId,
    /// Who holds the effects from the start, as their first take; else anybody may take them.
    pub held: Option<Held>,
    /// Timers that are set (in place of one of the same activation and kind) or removed, in order.
    pub timers: Vec<Timer>,
    /// Of these the storage takes `OpenTask`, `ClaimTask` and `CloseTask`, in order. The others
    /// are other changes of the same unit.
    pub tasks: Vec<Command>,
}

/// A take of effects in the unit that writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Whose lease.
    pub owner: LeaseId,
    /// For how long, by the storage's own clock.
    pub lease: Duration,
}

/// What a step was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// A row of the inbox.
    Inbox(InboxId),
    /// A timer.
    Timer {
        /// Of which activation.
        activation: ActivationId,
        /// Which of its timers.
        kind: TimerKind,
        /// When it was due: one that was set anew is another.
        due: Timestamp,
    },
    /// An effect, as this take of it.
    Effect {
        /// Its row.
        id: EffectId,
        /// The epoch that it must still have.
        epoch: u64,
    },
}
