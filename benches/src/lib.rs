//! Figures beside the best of each kind, measured in the same run.
//!
//! `cargo bench -p benches` runs all; each ends with one line a figure:
//! `name | ours | peer and version | ratio`. A figure counts only if all answers were right.
//!
//! Set by the environment: `SECONDS_EACH` (5), `RUNS_AT_ONCE` (`1,32,256`), `PEERS`
//! (`restate,dbos`; empty for none), `PEERS_HOME` (where peers are installed; below `target`).
#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

pub mod disk;
pub mod failure;
pub mod load;
pub mod ours;
pub mod peers;
pub mod report;
pub mod settings;
pub mod stub;

pub use failure::Failure;
