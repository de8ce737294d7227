//! The workflow engine: templates as data, interpreted by a pure function.
//!
//! A [`Template`] is a tree of levels in JSON. [`compile`] makes the flat form of it that runs
//! ([`Compiled`]). A run is a [`State`]; [`step()`] decides what one [`Input`] does to it and
//! returns events, effects, commands and timers; [`State::apply`] folds events. Nothing of
//! that waits, reads a clock or performs a call: time and randomness come in as arguments, and
//! effects are data.
//!
//! Around it, [`Workflow`] is the handle of the operations (each step is one unit), and
//! [`Engine`] works for all runs of a node: it performs effects once they are committed, empties
//! inboxes, fires timers. [`levels`] are the rows that Buildly Core 1.2.0 called workflows.

pub mod levels;
pub mod picture;
pub mod template;

mod expression;
mod schema;

mod compiled;

mod check;

mod run;
mod step;

mod planted;
mod worker;

mod bells;
mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod outside;
mod store;
mod stored;

mod advance;
mod decide;
mod engine;
mod events;
mod handover;
mod runs;
mod signals;
mod starting;
mod tasks;
mod templates;
mod workflow;

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;

pub use bells::Bells;
pub use change::{Change, Held, Stepped, Used};
pub use check::{Finding, Operation, Outside, Parameter, Severity, check, check_structure};
pub use compiled::{
    Compiled, Guard, Handled, Handler, Link, LinkId, Needed, Node, NodeKind, StartedBy, Target, WaitFor,
    compile,
};
pub use engine::Engine;
pub use error::Error;
pub use events::{CAUSED_MAX, Heard, Refused, Reported};
pub use expression::{EXPRESSION_BYTES_MAX, Expression, ExpressionError, Read};
pub use outside::{Access, Right, Services};
pub use run::{
    ActingAs, Activation, ActivationId, Answer, Command, Doubt, Each, Effect, End, Ended, Event, FINISHED,
    Fault, FaultKind, Input, KeptSignal, LevelId, Outcome, Part, Phase, Role, STATE_FORMAT, Scope, Start,
    State, Status, Then, Timer, TimerKind, Undo,
};
pub use runs::{Control, Run};
pub use schema::{Schema, SchemaError};
pub use signals::{Signal, SignalTo};
pub use starting::{StartRun, Starting};
pub use step::{Error as StepError, Request, SIGNALS_MAX, Step, TRANSITIONS_MAX, VARIABLES_BYTES_MAX, step};
pub use store::{Store, Work};
pub use stored::{
    Doer, DueTimer, InboxId, ParseWordError, Rows, RunEvent, RunFilter, RunSummary, StoredRun, StoredTask,
    StoredTemplate, TaskFilter, TaskStatus, TemplateFilter, TemplateStatus, Waiting,
};
pub use tasks::Task;
pub use template::{Level, ParseError, Template, TemplateHash};
pub use worker::{Action, EffectId, Happening, Leased, Worker, WorkerSettings};
pub use workflow::{Parts, Workflow};
