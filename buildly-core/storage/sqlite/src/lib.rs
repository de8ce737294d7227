//! Buildly's memory in one SQLite file: WAL, one writer thread that commits many callers'
//! units together, a pool of readers.

pub mod engine;
mod gateway;
mod identity;
mod mesh;
mod token;

use engine::Engine;

/// A deployment's storage in one SQLite file.
#[derive(Clone)]
pub struct Sqlite {
    #[expect(dead_code, reason = "the area modules read through it")]
    pub(crate) engine: Engine,
}
