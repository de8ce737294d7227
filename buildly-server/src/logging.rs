//! Log lines, on standard error: answers of commands go to standard output.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::configuration::{Log, LogFormat};

/// Begins to log.
///
/// # Errors
/// A sentence if the level cannot be understood, or if something logs already.
pub fn begin(log: &Log) -> Result<(), String> {
    let filter =
        EnvFilter::try_new(&log.level).map_err(|error| format!("`log.level` = `{}`: {error}", log.level))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let begun = match log.format {
        LogFormat::Pretty => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_ansi(false).try_init(),
    };
    begun.map_err(|error| error.to_string())
}
