//! Performs the gateway's calls: discovery, turns, deadlines, retries, limits, streams.
//!
//! [`Client`] implements [`buildly_model::ServiceClient`], so every call to a service, from
//! outside or from within, passes here. What is decided is decided by pure functions of
//! [`buildly_gateway::traffic`]; here are sockets, waits and the atomics that hold their
//! state. Bodies stream in both directions and are never gathered.

mod answer;
mod client;
mod connection;
mod deadline;
mod document;
mod door;
mod exchange;
mod gate;
mod live;
mod open_streams;
mod outbound;
mod outgoing;
mod replay;
mod secrets;
mod state;
mod transport;
mod tunnel;

pub use answer::StreamError;
pub use client::{Client, Options};
pub use connection::{Connection, NotConnected};
pub use live::InstanceHealth;
pub use open_streams::StreamJudge;
pub use outbound::{Outbound, OutboundError};
pub use secrets::{MachineSecrets, SecretError, Secrets};
pub use transport::TlsError;
