//! What SQLite must keep: the suites of the ports, and what happens when the world fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod crash;
mod engine;
mod extension;
mod folder;
mod gateway;
mod identity;
mod journal;
mod mesh;
mod support;
mod token;
mod workflow;
