//! The example as a process, and an address book in the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests report by panicking"
)]

mod book;
mod guide;
mod importing;
mod program;
