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
mod bad_input;
mod bounds;
mod client;
mod clients;
mod command_line;
mod crash;
mod datamesh;
mod demo;
mod document;
mod gateway_traffic;
mod harness;
mod join;
mod drain;
mod lists;
mod mesh_world;
mod nodes;
mod operations;
mod people;
mod permissions;
mod process;
mod recorded;
mod replay;
mod service_in_python;
mod services;
mod tls;
mod tokens;
mod upstream;
mod smtp;
mod smtp_server;
