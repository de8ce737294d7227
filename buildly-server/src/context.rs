//! What a handler may know of the server that runs it.

use crate::configuration::Configuration;

/// What a handler may know of the server that runs it.
#[derive(Debug, Default)]
pub struct Context {
    /// The settings.
    pub configuration: Configuration,
}
