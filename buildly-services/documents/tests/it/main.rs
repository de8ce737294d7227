//! The documents service: in process without a socket, and as a process that is killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests report by panicking"
)]

mod content;
mod folders;
mod left_behind;
mod mounted;
mod process;
mod quota;
mod sharing;
mod upgrade;
