//! What happened in a run: its history, and all that its state is made of.

use buildly_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ActivationId, Doubt, End, Fault, KeptSignal, LevelId, Phase, Role, Start, Undo};

/// What the journal calls the end of a run.
pub const FINISHED: &str = "workflow.run.finished";

/// A fact. Folding a run's events gives its state ([`State::apply`](super::State::apply)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    Started {
        /// With what.
        start: Start,
        /// When.
        at: Timestamp,
    },
    /// A level was entered.
    Entered {
        /// Its number.
        activation: ActivationId,
        /// Which level.
        level: LevelId,
        /// Its parent.
        parent: Option<ActivationId>,
        /// Where it reads and writes; its own number if it opens a scope.
        scope: ActivationId,
        /// Item, round or position.
        index: u32,
        /// What it is for its parent.
        role: Role,
        /// What a scope that it opens is given, and the scope around it.
        opens: Option<(Option<ActivationId>, Map<String, Value>)>,
        /// How it begins: ready, or waiting for links.
        phase: Phase,
    },
    /// A level does something else now.
    Moved {
        /// Which.
        activation: ActivationId,
        /// What.
        phase: Phase,
    },
    /// A level must be done by then (`None`: need not any more).
    DeadlineSet {
        /// Which.
        activation: ActivationId,
        /// When.
        due: Option<Timestamp>,
    },
    /// A call's bytes are fixed, for all its attempts.
    Requested {
        /// Whose.
        activation: ActivationId,
        /// The bytes.
        request: String,
    },
    /// An attempt is made.
    Called {
        /// Whose.
        activation: ActivationId,
        /// Which.
        attempt: u32,
    },
    /// The attempt, or the sub-workflow, that a level waited for is over.
    Answered {
        /// Whose.
        activation: ActivationId,
        /// A word for how: `done`, `refused`, `unknown`.
        outcome: String,
    },
    /// An attempt may have happened (`true`), or that is waived (`false`).
    Doubted {
        /// Whose.
        activation: ActivationId,
        /// Whether.
        unsure: bool,
    },
    /// A for-each knows its items.
    Spread {
        /// Whose.
        activation: ActivationId,
        /// The items.
        items: Vec<Value>,
    },
    /// A part of a stage is opened: one more is live.
    Opened {
        /// The stage.
        activation: ActivationId,
    },
    /// A part of a stage ended.
    Counted {
        /// The stage.
        activation: ActivationId,
        /// Which part.
        index: u32,
        /// How.
        part: Part,
    },
    /// A branch beside a level began (`true`) or ended.
    Beside {
        /// The level.
        activation: ActivationId,
        /// Whether it began.
        opened: bool,
    },
    /// A level now reports to another one, which cancels what was between.
    Attached {
        /// Which.
        activation: ActivationId,
        /// To whom.
        parent: ActivationId,
    },
    /// All calls of a cancelled level are settled.
    Settled {
        /// Which.
        activation: ActivationId,
    },
    /// A level ended.
    Ended {
        /// Its number.
        activation: ActivationId,
        /// How.
        how: Ended,
    },
    /// A link was decided.
    Linked {
        /// In which scope.
        scope: ActivationId,
        /// Which.
        link: u16,
        /// Whether alive; `None` makes it open again.
        alive: Option<bool>,
    },
    /// Something happened, or may have, that can be undone.
    Happened {
        /// Its completion.
        number: u64,
        /// What, and how to undo it.
        undo: Undo,
    },
    /// A compensation began.
    UndoBegun {
        /// Of which completion.
        number: u64,
    },
    /// Something is undone.
    Undone {
        /// Which completion.
        number: u64,
        /// `false`: a person has seen to it.
        by_us: bool,
        /// Kept if nobody knows whether it had happened at all.
        doubt: Option<(ActivationId, Doubt)>,
    },
    /// Somebody completed a task.
    TaskCompleted {
        /// Which level.
        level: LevelId,
        /// Who.
        by: String,
    },
    /// A signal came; it is kept until somebody waits for it, or taken at once.
    SignalCame {
        /// Its key.
        dedup: String,
        /// What is kept.
        kept: Option<KeptSignal>,
    },
    /// A kept signal found who waits for it.
    SignalTaken {
        /// Its name; the oldest of it.
        name: String,
    },
    /// A level wrote a fact.
    Emitted {
        /// Which level.
        level: LevelId,
        /// What happened.
        event: String,
        /// The facts.
        payload: Value,
    },
    /// Variables have new values.
    VariablesSet {
        /// By name.
        values: Map<String, Value>,
    },
    /// Nothing new begins.
    Paused,
    /// It goes on.
    Resumed,
    /// An input came too late to change anything.
    Late {
        /// Which.
        input: String,
        /// Whose, if it was for one level.
        activation: Option<ActivationId>,
    },
    /// The run ended.
    Finished {
        /// How.
        end: End,
    },
}

/// How a part of a stage ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Completed; a for-each keeps the result.
    Done(Option<Value>),
    /// Failed, and undone.
    Failed,
    /// Skipped.
    Dead,
    /// Settled, in a stage that is being cancelled.
    Settled,
}

/// How a level ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It completed.
    Done {
        /// With this result.
        result: Value,
    },
    /// It failed, and its parent goes on without it.
    Failed {
        /// Why.
        fault: Fault,
    },
    /// It did not run: a condition was false, or a link dead.
    Skipped,
    /// It was cancelled.
    Dropped,
}

impl Event {
    /// What happened, as the journal names it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "workflow.run.started",
            Self::Entered { .. } => "workflow.level.entered",
            Self::Moved { .. } => "workflow.level.moved",
            Self::DeadlineSet { .. } => "workflow.level.deadline_set",
            Self::Requested { .. } => "workflow.call.requested",
            Self::Called { .. } => "workflow.call.attempted",
            Self::Answered { .. } => "workflow.call.answered",
            Self::Doubted { .. } => "workflow.call.doubted",
            Self::Spread { .. } => "workflow.level.spread",
            Self::Opened { .. } => "workflow.level.opened",
            Self::Counted { .. } => "workflow.level.counted",
            Self::Beside { .. } => "workflow.level.branched",
            Self::Attached { .. } => "workflow.level.attached",
            Self::Settled { .. } => "workflow.level.settled",
            Self::Ended { .. } => "workflow.level.ended",
            Self::Linked { .. } => "workflow.link.decided",
            Self::Happened { .. } => "workflow.undo.recorded",
            Self::UndoBegun { .. } => "workflow.undo.begun",
            Self::Undone { .. } => "workflow.undo.done",
            Self::TaskCompleted { .. } => "workflow.task.completed",
            Self::SignalCame { .. } => "workflow.signal.came",
            Self::SignalTaken { .. } => "workflow.signal.taken",
            Self::Emitted { .. } => "workflow.fact.emitted",
            Self::VariablesSet { .. } => "workflow.run.variables_set",
            Self::Paused => "workflow.run.paused",
            Self::Resumed => "workflow.run.resumed",
            Self::Late { .. } => "workflow.run.late_input",
            Self::Finished { .. } => FINISHED,
        }
    }
}
