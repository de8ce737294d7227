//! The client against real servers on loopback.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bounds;
mod documents;
mod failing;
mod headers;
mod in_process;
mod rights_end;
mod streaming;
mod tls;
mod upgrading;
mod upstream;
mod world;
