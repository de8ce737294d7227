//! Identity, gateway, data mesh and journal of a multi-service product, in your process.
