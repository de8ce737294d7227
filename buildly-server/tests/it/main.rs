//! The server over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    unreachable_pub
)]

#[expect(dead_code, reason = "the areas' tests use the rest")]
mod client;
#[expect(dead_code, reason = "the areas' tests use the rest")]
mod harness;
mod operations;
