//! `buildly serve`

use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Settings, flag, print};
use crate::{Running, logging};

const EXAMPLES: &str = "\
Examples:
  buildly serve                                on 127.0.0.1:8080, data in ./buildly-data
  buildly serve --listen 0.0.0.0:80            on every address
  buildly serve --listen 127.0.0.1:0           on a free port, which is printed
  buildly serve --log-format json              log lines for machines

Prints `listening on http://HOST:PORT` once it answers; logs go to standard error.
SIGTERM or Ctrl-C lets open requests end, at most 20 seconds, and exits with 0.
SIGHUP reads the certificates again.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Listen on this address and port; port 0 picks a free one.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// The URL that clients reach the server by.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// What is worth a log line: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How a log line looks: pretty or json.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let flags = [
            self.listen.map(|value| flag("--listen", "listen", value)),
            self.public_url.map(|value| flag("--public-url", "public_url", value)),
            self.log_level.map(|value| flag("--log-level", "log.level", value)),
            self.log_format.map(|value| flag("--log-format", "log.format", value)),
        ];
        let configuration = settings.load(flags.into_iter().flatten().collect())?;
        logging::begin(&configuration.log)?;
        let failure = |error: std::io::Error| format!("signals cannot be received: {error}");
        let mut terminate = signal(SignalKind::terminate()).map_err(failure)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failure)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(failure)?;
        let running = Running::start(configuration).await.map_err(|error| error.to_string())?;
        print(&format!("listening on {}\n", running.url()))?;
        tracing::info!(address = %running.address(), version = env!("CARGO_PKG_VERSION"), "started");
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hangup.recv() => running.reload(),
            }
        }
        tracing::info!("stopping");
        running.stop().await;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}
