//! The functions of the header, called as C calls them, and C itself.
#![expect(unsafe_code, reason = "the functions are called as C calls them")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests report by panicking, and say what they skip"
)]

mod callbacks;
mod example;
mod handles;
mod harness;
mod header;
mod input;
mod operations;
mod parity;
mod postgres;
