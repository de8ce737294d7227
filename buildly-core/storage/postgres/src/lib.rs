//! Buildly's memory in PostgreSQL: any number of stateless nodes on one database.

pub mod engine;
mod gateway;
mod identity;
mod mesh;
mod token;

use engine::Engine;

/// A deployment's storage in a schema of a PostgreSQL database.
#[derive(Clone)]
pub struct Postgres {
    pub(crate) engine: Engine,
}
