//! Figures beside the best of each kind, measured in the same run.
//!
//! `cargo bench -p benches` runs all; each ends with one line a figure:
//! `name | ours | peer and version | ratio`. A figure counts only if all answers were right.
//!
//! `docs/benchmarks.md` says what each measures and leaves out, and what the environment sets.
#![expect(clippy::print_stdout, reason = "figures are printed")]
#![expect(clippy::disallowed_methods, reason = "time is what is measured")]

pub mod commits;
pub mod cores;
pub mod disk;
pub mod failure;
pub mod load;
pub mod ours;
pub mod peers;
pub mod permission;
pub mod random;
pub mod report;
pub mod seed;
pub mod sessions;
pub mod settings;
pub mod start;
pub mod stub;
pub mod timing;
pub mod tokens;
pub mod upstream;
pub mod usage;
pub mod wire;

pub use failure::Failure;
