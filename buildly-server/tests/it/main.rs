//! The server over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice,
    unreachable_pub
)]

mod audit;
mod audit_command;
mod authorization;
mod bad_documents;
mod bad_input;
mod bad_tokens;
mod bounds;
mod client;
mod clients;
mod command_line;
mod crash;
mod database_away;
mod datamesh;
mod demo;
mod document;
mod drain;
mod gateway_traffic;
mod guessing;
mod guides;
mod harness;
mod join;
mod join_circle;
mod lists;
mod mesh_world;
#[cfg(feature = "nats")]
mod nats;
mod nodes;
mod null_characters;
mod operations;
mod people;
mod permissions;
mod process;
mod rate_limits;
mod receiver;
mod recorded;
mod replay;
mod service_in_python;
mod services;
mod smtp;
mod smtp_server;
mod stream_memory;
mod streams_end;
mod tls;
mod tokens;
mod upstream;
mod webhooks;
mod workflow;
