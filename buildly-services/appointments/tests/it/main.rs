//! The appointments service on both databases, asked by its organization and by a stranger.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests report by panicking"
)]

mod booking;
mod free_busy;
mod outside;
