//! The buildly server: configuration, sockets, the HTTP API.
