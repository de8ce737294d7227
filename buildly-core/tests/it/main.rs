//! The library from outside, as a program that embeds it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]
#![cfg(all(feature = "sqlite", feature = "postgres"))]

mod atomically;
mod closing;
mod extensions;
mod world;
