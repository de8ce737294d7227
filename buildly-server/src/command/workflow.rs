//! `buildly workflow`

mod given;
mod lint;
mod list;
mod publish;
mod retry;
mod screen;
mod show;
mod signal;
mod start;
mod tree;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Failure, Settings};
use crate::local::{Ask, AskError, Session, Task};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what is wrong with templates; needs neither server nor database.
    Lint(lint::Arguments),
    /// Save a template and publish it: runs can be made of it, and it never changes.
    Publish(publish::Arguments),
    /// Start a run of a published template.
    Start(start::Arguments),
    /// List runs, newest first.
    List(list::Arguments),
    /// Show a run: how it stands, its tree, or all that happened in it.
    Show(show::Arguments),
    /// Draw a run's tree while it moves, until it ends.
    Watch(watch::Arguments),
    /// Send a signal to a run, or to all of a business key.
    Signal(signal::Arguments),
    /// Do a level anew that needs attention.
    Retry(retry::Arguments),
}

impl Command {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        match self {
            Self::Lint(command) => command.run(),
            Self::Publish(command) => command.run(settings).await,
            Self::Start(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
            Self::Show(command) => command.run(settings).await,
            Self::Watch(command) => command.run(settings).await,
            Self::Signal(command) => command.run(settings).await,
            Self::Retry(command) => command.run(settings).await,
        }
    }
}

/// Who acts.
#[derive(Debug, Args)]
struct Acting {
    /// Act as this user, with that user's rights [default: the first superuser].
    #[arg(long = "as", value_name = "USERNAME")]
    user: Option<String>,
}

impl Acting {
    /// Begins to ask the running server, or the files and database when none runs.
    async fn begin(self, settings: Settings) -> Result<Asking, Failure> {
        let configuration = settings.load(Vec::new())?;
        let session = Session::open(&configuration).await.map_err(failure)?;
        Ok(Asking { session, acting_as: self.user })
    }

    /// Asks one thing.
    async fn ask(self, settings: Settings, ask: Ask) -> Result<Value, Failure> {
        let asking = self.begin(settings).await?;
        let answer = asking.ask(ask).await;
        asking.end().await;
        answer
    }
}

/// Several questions of one user.
struct Asking {
    session: Session,
    acting_as: Option<String>,
}

impl Asking {
    async fn ask(&self, ask: Ask) -> Result<Value, Failure> {
        let task = Task::Workflow { acting_as: self.acting_as.clone(), ask };
        self.session.ask(task).await.map_err(failure)
    }

    /// Refuses to wait where nobody works.
    fn require_work(&self) -> Result<(), Failure> {
        if self.session.is_worked_on() {
            return Ok(());
        }
        let folder = self.session.folder().display();
        Err(format!(
            "no server runs on `{folder}`, so that the run does not move: start one, `buildly serve`"
        ))
    }

    async fn end(self) {
        self.session.close().await;
    }
}

fn failure(error: AskError) -> Failure {
    error.to_string()
}

/// Whether a run, as it is told, takes no more input.
fn is_ended(run: &Value) -> bool {
    run.get("ended_at").is_some_and(|at| !at.is_null())
}

/// 0 for a run that is completed.
fn code_of(run: &Value) -> ExitCode {
    if super::text(run, "status") == "completed" { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
