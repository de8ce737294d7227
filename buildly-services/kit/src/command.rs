//! A service as a program of its own: flags, logs, a socket, an orderly end.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use buildly_model::system::System;
use clap::{Args, Parser};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::{DatabaseAddress, Declaration, KeySource, Settings, TokenSettings, Tokens, serve};

/// How a service is run; `buildly service run` takes the same.
#[derive(Debug, Clone, Args)]
pub struct ServiceFlags {
    /// Where to listen; port 0 picks a free one
    #[arg(long, env = "BUILDLY_SERVICE_LISTEN", default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub listen: String,
    /// The public keys that tokens are checked with: the issuer's JWKS, by address or as a file
    #[arg(long, env = "BUILDLY_SERVICE_JWKS", value_name = "URL|FILE")]
    pub jwks: String,
    /// Accept only tokens of this issuer (`iss`)
    #[arg(long, env = "BUILDLY_SERVICE_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,
    /// Ask here whether a token still holds, at most every 10 s a token (RFC 7662)
    #[arg(long, env = "BUILDLY_SERVICE_INTROSPECT", value_name = "URL")]
    pub introspect: Option<http::Uri>,
    /// The folder of the service's database and files
    #[arg(long, env = "BUILDLY_DATA_DIR", default_value = "buildly-data", value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// Keep records in PostgreSQL, in a schema named after the service, instead of a file
    #[arg(long, env = "BUILDLY_DATABASE_URL", value_name = "postgres://…", hide_env_values = true)]
    pub database_url: Option<String>,
}

impl ServiceFlags {
    /// The settings of the service of this name.
    ///
    /// # Errors
    /// A sentence if an address cannot be read or the folder cannot be made.
    pub fn settings(&self, name: &str) -> Result<Settings, String> {
        let keys = KeySource::parse(&self.jwks)?;
        let settings =
            TokenSettings { keys, issuer: self.issuer.clone(), introspection: self.introspect.clone() };
        let database = match &self.database_url {
            Some(url) => DatabaseAddress::Postgres { url: url.clone(), schema: name.replace('-', "_") },
            None => {
                std::fs::create_dir_all(&self.data_dir).map_err(|error| {
                    format!("folder `{}` cannot be made: {error}", self.data_dir.display())
                })?;
                DatabaseAddress::File(self.data_dir.join(format!("{name}.db")))
            }
        };
        Ok(Settings::new(database, Arc::new(Tokens::new(settings, Arc::new(System)))))
    }

    /// Opens the service, prints `listening on http://HOST:PORT`, and answers until SIGTERM or
    /// Ctrl-C.
    ///
    /// # Errors
    /// A sentence if it cannot be opened or the address is taken.
    pub async fn run(&self, declaration: Declaration) -> Result<(), String> {
        let settings = self.settings(declaration.name())?;
        let service = declaration.open(settings).await.map_err(|error| error.to_string())?;
        let listener = TcpListener::bind(&self.listen).await.map_err(|error| {
            format!("cannot listen on {} ({error}); choose another --listen", self.listen)
        })?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let mut interrupted = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let mut out = std::io::stdout();
        writeln!(out, "listening on http://{address}")
            .and_then(|()| out.flush())
            .map_err(|error| error.to_string())?;
        let shutdown = async {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        };
        serve(service, listener, shutdown).await;
        Ok(())
    }
}

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    flags: ServiceFlags,
}

/// The whole `main` of a service: reads the flags, logs to standard error, runs.
#[must_use]
pub fn main(declare: impl FnOnce(&ServiceFlags) -> Declaration) -> ExitCode {
    let command = Command::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .init();
    let declaration = declare(&command.flags);
    let outcome = tokio::runtime::Runtime::new()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(command.flags.run(declaration)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            tracing::error!(reason, "service ended");
            ExitCode::FAILURE
        }
    }
}
