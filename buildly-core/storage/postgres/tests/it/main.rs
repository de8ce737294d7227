//! What PostgreSQL must keep: the suites of the ports, and what happens when the world fails.
//!
//! The server is at `BUILDLY_TEST_DATABASE_URL`, by default the one on this machine; each
//! test makes a schema of its own and drops it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, unreachable_pub)]

mod crash;
mod extension;
mod failure;
mod gateway;
mod hanging;
mod identity;
mod journal;
mod mesh;
mod nodes;
mod revocation;
mod support;
mod token;
mod upgrade;
mod workflow;
