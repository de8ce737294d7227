//! A deployment as the bindings for other languages hold it.
//!
//! A [`Deployment`] has threads of its own, so that a program without an async runtime can use
//! it from any of its threads. It is asked in three ways: by a named [operation]
//! (arguments and answer are JSON, so that each is written down once for all languages), by any
//! request through the gateway ([`Asked`]), and by putting a [`Function`] of the program behind
//! the gateway as a service. What goes wrong is a [`Failure`] with a [`Class`], which a binding
//! translates in one exhaustive `match`.

mod asking;
mod deployment;
mod failure;
mod function;
pub mod operation;
mod shape;

pub use asking::{Answered, Asked, BODY_BYTES_MAX, Fields};
pub use deployment::{Deployment, Opening};
pub use failure::{Class, Failure};
pub use function::{CALL_BYTES_MAX, CALLS_MAX, Call, Function, Reply};
