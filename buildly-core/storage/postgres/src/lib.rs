//! Buildly's memory in PostgreSQL: any number of stateless nodes on one database.

mod commit;
pub mod engine;
mod extension;
mod gateway;
mod identity;
mod journal;
mod mesh;
mod node;
mod open;
mod token;
mod wake;
mod workflow;

pub use open::{Postgres, SCHEMA_DEFAULT};
