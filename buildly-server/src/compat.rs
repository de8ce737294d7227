//! Resources in the shapes that existing Buildly clients speak.
//!
//! One module for each resource, with `pub fn routes() -> Routes`; the list of all is in
//! [`crate::api`].

pub mod datamesh;
pub mod oauth;
pub mod simple_token;
