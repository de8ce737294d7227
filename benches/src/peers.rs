//! Peers: installed by name and version, started as they come, ended again.

mod dbos;
mod install;
mod restate;

pub use dbos::{Dbos, DbosDatabase};
pub use restate::{CompleteRun as CompleteRestateRun, Restate};
