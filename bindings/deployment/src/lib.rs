//! A deployment as the bindings for other languages hold it.
//!
//! A [`Deployment`] has threads of its own, so that a program without an async runtime can use
//! it from any of its threads. It is asked in three ways: by a named [operation]
//! (arguments and answer are JSON, so that each is written down once for all languages), by any
//! request through the gateway ([`Asked`]), and by putting a [`Function`] of the program behind
//! the gateway as a service. Each of these is [`Work`] that the thread waits for, may be interrupted
//! in, or is told of later. What goes wrong is a [`Failure`] with a [`Class`], which a binding
//! translates in one exhaustive `match`.

mod asking;
mod deployment;
mod failure;
mod function;
mod opening;
pub mod operation;
mod shape;
mod work;

pub use asking::{Answer, Answered, Asked, BODY_BYTES_MAX, BodyMax, Fields};
pub use buildly_core::gateway::traffic::forwarded::Peer;
pub use deployment::Deployment;
pub use failure::{Class, Failure};
pub use function::{CALL_BYTES_MAX, CALLS_MAX, Call, Function, Reply};
pub use opening::Opening;
pub use work::{Ending, Work};
