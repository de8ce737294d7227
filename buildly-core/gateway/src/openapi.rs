//! What a service's OpenAPI document says: its operations, and what they take.
//!
//! Versions 2.0, 3.0 and 3.1 are read alike, and leniently: what is not understood is left
//! out, since documents in the wild are rarely valid; only what is no document at all is
//! refused. Schemas are not read. Size, depth, values and operations are bounded, and
//! references are followed within the document only.

mod api;
mod document;
mod error;
mod operation;
mod parameter;
mod routes;
mod text;
mod yaml;

pub use api::Api;
pub use document::{Dialect, Document};
pub use error::Error;
pub use operation::{Operation, Parameter, ParameterKind, Security};
pub use text::read as read_text;

#[cfg(test)]
mod tests;
