//! Carries the journal to NATS JetStream, as CloudEvents.
//!
//! [`Nats`] is a [`Transport`](buildly_extension::Transport). Each event is a message on the
//! subject `PREFIX.ORGANIZATION.KIND`, such as `buildly.01890a5d-….auth.group.created`
//! (`deployment` in place of the organization for what happens in none), acknowledged by the
//! stream before the next one is sent: so the order of each organization is the stream's. The
//! header `Nats-Msg-Id` is the event's id, by which the stream drops what comes twice within
//! its duplicate window.

mod message;
mod transport;

pub use message::subject_of;
pub use transport::{Error, Nats, Settings};
