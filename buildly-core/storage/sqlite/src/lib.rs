//! Buildly's memory in one SQLite file: WAL, one writer thread that commits many callers'
//! units together, a pool of readers.

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
mod workflow;

pub use open::{DATABASE_FILE, Sqlite};
