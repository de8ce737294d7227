//! The commands of `buildly`.

mod admin;
mod audit;
mod backup;
mod config;
#[cfg(feature = "services")]
mod demo;
mod migrate;
mod openapi;
mod password;
mod serve;
mod service;
mod status;
mod user;
mod workflow;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde_json::Value;

use crate::configuration::{Configuration, Entry, FlagValue, Sources};
use crate::local::{Task, ask};

/// Identity, an API gateway and a data mesh over your services.
#[derive(Debug, Parser)]
#[command(name = "buildly", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  buildly admin create --username ada --email ada@example.org --organization Acme
  buildly serve
  buildly serve --listen 0.0.0.0:8080 --data-dir /var/lib/buildly
  BUILDLY_DATABASE_URL=postgres://buildly@db/buildly buildly serve
  buildly workflow lint order.yaml
  buildly config show

Every setting can stand in buildly.toml, in the environment as BUILDLY_…, or on the command
line; the later of these wins. `buildly config show` lists them all.";

/// Settings that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Read settings from this file instead of ./buildly.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of keys, mail and databases [default: buildly-data].
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Use this PostgreSQL database instead of a file in the folder.
    #[arg(long, global = true, value_name = "postgres://…")]
    database_url: Option<String>,
    /// Set any other setting, such as `--set limits.body_bytes_max=5_000_000`.
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what Buildly does, with real data.
    #[cfg(feature = "services")]
    Demo(demo::Arguments),
    /// Answer requests until stopped.
    Serve(serve::Arguments),
    /// Make people who may do everything.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Help a user who cannot sign in.
    #[command(subcommand)]
    User(user::Command),
    /// Say whether a server runs on the folder, and how it is.
    Status(status::Arguments),
    /// Look at the settings.
    #[command(subcommand)]
    Config(config::Command),
    /// Print the OpenAPI document of the core.
    Openapi(openapi::Arguments),
    /// Put services behind the gateway, and run those that come with Buildly.
    #[command(subcommand)]
    Service(service::Command),
    /// Check, publish, start, watch and mend processes that run through services and people.
    #[command(subcommand)]
    Workflow(workflow::Command),
    /// Prove the journal.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Bring the database to the schema of this version.
    Migrate(migrate::Arguments),
    /// Copy the database to a file, while it is in use.
    Backup(backup::Arguments),
}

/// Why a command failed: sentences for the terminal.
type Failure = String;

/// Runs the command that the process was called with.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("the runtime cannot start: {error}")),
    };
    match runtime.block_on(perform(arguments)) {
        Ok(code) => code,
        Err(failure) => failed(&failure),
    }
}

fn failed(failure: &str) -> ExitCode {
    let _nobody_to_tell = writeln!(io::stderr(), "error: {failure}");
    ExitCode::FAILURE
}

async fn perform(arguments: Arguments) -> Result<ExitCode, Failure> {
    let settings = arguments.settings;
    match arguments.command {
        #[cfg(feature = "services")]
        Command::Demo(command) => command.run(settings).await,
        Command::Serve(command) => command.run(settings).await,
        Command::Admin(command) => command.run(settings).await,
        Command::User(command) => command.run(settings).await,
        Command::Status(command) => command.run(settings).await,
        Command::Config(command) => command.run(settings),
        Command::Openapi(command) => command.run(settings),
        Command::Service(command) => command.run(settings).await,
        Command::Workflow(command) => command.run(settings).await,
        Command::Audit(command) => command.run(settings).await,
        Command::Migrate(command) => command.run(settings).await,
        Command::Backup(command) => command.run(settings).await,
    }
}

impl Settings {
    /// The configuration of file, environment and flags; `more` are the command's own flags.
    fn load(self, more: Vec<FlagValue>) -> Result<Configuration, Failure> {
        self.load_with_entries(more, &[]).map(|(configuration, _)| configuration)
    }

    /// The same, with every setting and its source; `defaults` stand instead of those of the
    /// settings named.
    fn load_with_entries(
        self,
        more: Vec<FlagValue>,
        defaults: &[(&str, &str)],
    ) -> Result<(Configuration, Vec<Entry>), Failure> {
        let mut flags = Vec::new();
        flags.extend(self.data_dir.map(|value| flag("--data-dir", "data_dir", value)));
        flags.extend(self.database_url.map(|value| flag("--database-url", "database_url", value)));
        for pair in self.set {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| format!("`--set {pair}`: expected NAME=VALUE"))?;
            flags.push(flag("--set", key.trim(), value.to_owned()));
        }
        flags.extend(more);
        let sources = Sources::gather(self.config.as_deref(), std::env::vars(), flags)
            .map_err(|error| error.to_string())?;
        let sources = defaults.iter().fold(sources, |sources, (key, value)| sources.with_default(key, value));
        Configuration::load_with_entries(sources).map_err(|error| error.to_string())
    }

    /// Does a task on the running server, or on the files when none runs.
    async fn ask(self, task: Task) -> Result<Value, Failure> {
        let configuration = self.load(Vec::new())?;
        ask(&configuration, task).await.map_err(|error| error.to_string())
    }
}

fn flag(flag: &str, key: &str, value: String) -> FlagValue {
    FlagValue { flag: flag.to_owned(), key: key.to_owned(), value }
}

/// Writes lines to standard output; a closed pipe ends the command quietly.
fn print(text: &str) -> Result<ExitCode, Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// A text field of an answer; empty if it is not there.
fn text<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A list field of an answer; empty if it is not there.
fn list<'a>(answer: &'a Value, field: &str) -> &'a [Value] {
    answer.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A number field of an answer; 0 if it is not there.
fn number(answer: &Value, field: &str) -> u64 {
    answer.get(field).and_then(Value::as_u64).unwrap_or_default()
}
