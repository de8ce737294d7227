//! What a handler may know of the server that runs it.

use serde_json::Value;

use crate::configuration::Configuration;
use crate::metrics::Metrics;

/// What a handler may know of the server that runs it.
#[derive(Debug, Default)]
pub struct Context {
    /// The settings.
    pub configuration: Configuration,
    /// The URL that clients reach the server by, without a slash at its end: the setting, or
    /// else the address it listens on.
    pub public_url: String,
    /// The OpenAPI document of the core's own operations.
    pub document: Value,
    /// What is counted.
    pub metrics: Metrics,
}
