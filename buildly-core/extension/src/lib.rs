//! Extensions: code that carries the journal's events out of the deployment, and code that
//! exchanges with third parties.
//!
//! A [`Transport`] is handed the events of each organization in their order, at least once,
//! from a position that the storage keeps ([`Lane`]); so it goes on after a crash where it
//! was. Webhooks are the first one: [`Webhooks`] has the operations of administrators,
//! [`Deliveries`] is the transport. What an event looks like outside is [`CloudEvent`].
//!
//! A [`Partner`] stands behind the gateway as a service, so that workflows exchange with it.
//! The other kinds of extensions belong to the areas that they extend: `buildly_auth::security`
//! and `buildly_gateway_http::Connection`.

mod access;
mod change;
mod cloud_event;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod lane;
mod partner;
mod store;
mod transport;
pub mod webhook;

pub use access::Access;
pub use change::Change;
pub use cloud_event::CloudEvent;
pub use error::Error;
pub use lane::{Lane, LaneKey, Moved, Trouble, pause_after};
pub use partner::{Exchange, Partner, PartnerFault};
pub use store::{DeliveryPage, Store};
pub use transport::{Batch, Lanes, Outcome, Transport};
pub use webhook::{Deliveries, Parts, Webhooks};
