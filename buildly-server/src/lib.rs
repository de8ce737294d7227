//! The buildly server: configuration, sockets, the HTTP API.
//!
//! The server only translates: a handler authenticates, parses, makes one call of the
//! library and renders its answer. What an area offers over HTTP is declared once, as
//! [`Routes`], which gives the route, its handler and its entry in the OpenAPI document.

pub mod api;
mod audit;
pub mod command;
pub mod compat;
pub mod configuration;
mod context;
#[cfg(feature = "services")]
pub mod demo;
pub mod deployment;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod gateway;
pub mod local;
pub mod logging;
mod metrics;
mod operations;
mod page;
mod permissions;
pub mod problem;
pub mod request;
mod response;
pub mod route;
mod running;
pub mod serve;
mod server;
pub mod service_accounts;
mod tls;
pub mod webhooks;
pub mod well_known;
mod workflow;

pub use buildly_core::gateway::traffic::correlation::CorrelationId;
pub use context::Context;
pub use problem::Problem;
pub use request::Request;
pub use response::Response;
pub use route::Routes;
pub use running::{Running, StartError};
pub use server::Server;
