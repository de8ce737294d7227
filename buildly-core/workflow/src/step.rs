//! Decides what one input does to a run; performs nothing.

mod call;
mod cancel;
mod control;
mod enter;
mod fault;
mod join;
mod machine;
mod request;
mod signal;
mod task;
mod time;
mod variables;

use buildly_model::{ErrorKind, FieldError, Timestamp};

use crate::Compiled;
use crate::run::{ActivationId, Command, Effect, Event, Input, State, Status, Timer};
use machine::Machine;
pub use request::Request;
pub(crate) use variables::{LOCAL_ROOTS, ROOTS};

/// The most levels that one step enters; what is left follows by [`Input::Continue`].
pub const TRANSITIONS_MAX: u32 = 1_000;
/// The most bytes of values that a run keeps.
pub const VARIABLES_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// The most signals that are kept for somebody who waits for them later.
pub const SIGNALS_MAX: usize = 1_000;

/// What an input does: to be written as one unit.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Step {
    /// What happened; folded into the state before, it is [`Step::state`].
    pub events: Vec<Event>,
    /// The state after it.
    pub state: State,
    /// What is to be performed once this is committed.
    pub effects: Vec<Effect>,
    /// What changes in our own records, in the same unit.
    pub commands: Vec<Command>,
    /// Timers that are set or removed.
    pub timers: Vec<Timer>,
    /// How the run stands now; the attribute that people search by.
    pub status: Status,
    /// Whether it stopped at its bound: queue [`Input::Continue`] in the same unit.
    pub more: bool,
}

/// Why a run does not take an input of a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every refused field at once.
    #[error("invalid input: {}", sentences(.0))]
    Invalid(Vec<FieldError>),
    /// The run's state does not take it; look at it again.
    #[error("a run that is {status} does not take a {input}: {reason}")]
    Conflict {
        /// How the run stands.
        status: &'static str,
        /// What came.
        input: &'static str,
        /// What it would have needed.
        reason: String,
    },
    /// A bound is reached.
    #[error("{what}: at most {max} are kept")]
    Limited {
        /// Of what there are too many.
        what: &'static str,
        /// The bound.
        max: u64,
    },
    /// There is no such level, or it is not live.
    #[error("there is no live level with number `{activation}` in this run")]
    NotFound {
        /// What was asked for.
        activation: ActivationId,
    },
    /// State and template do not belong together.
    #[error("the run's state does not fit its template: {reason}")]
    Corrupt {
        /// What does not fit.
        reason: String,
    },
}

impl Error {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Limited { .. } => ErrorKind::Limited,
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
        }
    }
}

/// Decides what `input` does to a run of `template`; performs nothing.
///
/// # Errors
/// Only for inputs of people: [`Error::Invalid`], [`Error::Conflict`], [`Error::Limited`],
/// [`Error::NotFound`]; nothing has changed then. [`Error::Corrupt`] if the state was not made
/// by this template.
pub fn step(
    template: &Compiled,
    state: &State,
    input: Input,
    now: Timestamp,
    random: u64,
) -> Result<Step, Error> {
    let mut machine = Machine::new(template, state.clone(), now, random);
    machine.take(input)?;
    machine.run();
    Ok(machine.finish())
}

impl Machine<'_> {
    /// Takes one input in; what it makes ready is begun by [`Machine::run`].
    fn take(&mut self, input: Input) -> Result<(), Error> {
        if self.state.is_ended() {
            return self.refuse_ended(&input);
        }
        if self.state.run.is_none() && !matches!(input, Input::Started(_)) {
            return Err(self.conflict(&input, "it has not begun"));
        }
        match input {
            Input::Started(start) => self.start(start),
            Input::Answered(answer) => {
                self.answered(answer);
                Ok(())
            }
            Input::TimerFired { activation, kind } => {
                self.timer_fired(activation, kind);
                Ok(())
            }
            Input::ChildEnded { activation, end } => {
                self.sub_run_ended(activation, end);
                Ok(())
            }
            Input::TaskClaimed { activation, by } => self.claim_task(activation, by),
            Input::TaskCompleted { activation, by, data } => self.complete_task(activation, by, data),
            Input::Signal { name, dedup, payload } => self.signal(name, dedup, payload),
            Input::Cancel { reason } => self.cancel_run(reason),
            Input::Pause => self.pause(),
            Input::Resume => self.resume(),
            Input::Retry { activation, waive } => self.retry(activation, waive),
            Input::Skip { activation } => self.skip_compensation(activation),
            Input::SetVariables { values } => self.set_variables(values),
            Input::Continue => {
                self.queue_ready();
                Ok(())
            }
        }
    }

    /// An ended run takes nothing: machines are told that they are late, people that it has ended.
    fn refuse_ended(&mut self, input: &Input) -> Result<(), Error> {
        let activation = match input {
            Input::Answered(answer) => Some(answer.activation),
            Input::TimerFired { activation, .. } | Input::ChildEnded { activation, .. } => Some(*activation),
            Input::Continue => None,
            Input::Started(_)
            | Input::TaskClaimed { .. }
            | Input::TaskCompleted { .. }
            | Input::Signal { .. }
            | Input::Cancel { .. }
            | Input::Pause
            | Input::Resume
            | Input::Retry { .. }
            | Input::Skip { .. }
            | Input::SetVariables { .. } => return Err(self.conflict(input, "it has ended; start a new run")),
        };
        self.late(input.name(), activation);
        Ok(())
    }

    fn conflict(&self, input: &Input, reason: &str) -> Error {
        self.refuse(input.name(), reason)
    }

    fn refuse(&self, input: &'static str, reason: impl Into<String>) -> Error {
        let status = match self.state.status() {
            Status::New => "new",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::NeedsAttention => "in need of attention",
            Status::Undoing => "being undone",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Compensated => "compensated",
            Status::Cancelled => "cancelled",
        };
        Error::Conflict { status, input, reason: reason.into() }
    }

    fn late(&mut self, input: &str, activation: Option<ActivationId>) {
        self.record(Event::Late { input: input.to_owned(), activation });
    }
}

fn sentences(fields: &[FieldError]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
