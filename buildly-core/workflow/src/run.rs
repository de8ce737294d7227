//! A run: its state, what it takes, what it tells.

mod apply;
mod event;
mod fault;
mod input;
mod output;
mod state;

pub(crate) use apply::bytes;
pub use event::{Ended, Event, FINISHED, Part};
pub use fault::{End, Fault, FaultKind};
pub use input::{Answer, Input, Outcome, Start};
pub use output::{ActingAs, Command, Effect, Timer, TimerKind};
pub use state::{
    Activation, ActivationId, Doubt, Each, KeptSignal, LevelId, Phase, Role, STATE_FORMAT, Scope, State,
    Status, Then, Undo,
};
