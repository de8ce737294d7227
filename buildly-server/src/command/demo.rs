//! `buildly demo`

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use tokio::io::AsyncReadExt as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Settings, flag};
use crate::configuration::Configuration;
use crate::demo::{Invitation, Narrator, Stage, Story, Voice, ground};
use crate::logging;

const EXAMPLES: &str = "\
Examples:
  buildly demo                                          data in ./buildly-data, server on 127.0.0.1:8080
  buildly demo --once                                   ends after the story; 0 if every step came out right
  buildly demo --reset                                  starts over with an empty folder
  buildly demo --database-url postgres://localhost/test the same story on PostgreSQL

Starts the CRM, documents and appointments services and a server, each on a port of its own, loads real
sample data, and shows each step with its request and answer. A second start goes on with the
same data. Folder and schemas must be new or the demo's own.

--once, --reset, --quiet and --json concern one run and are no settings; everything else can
also stand in buildly.toml or the environment.";

/// What the demo decides otherwise than `serve`, where nobody says anything: front ends under
/// development may call it, and only trouble is logged between the steps.
const DEFAULTS: [(&str, &str); 2] = [("cors.origins", "localhost"), ("log.level", "warn")];

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Listen on this address and port; port 0 picks a free one.
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// End after the story, with 0 if every step came out as it should.
    #[arg(long)]
    once: bool,
    /// Start over: delete what an earlier demo has left in a folder that it made.
    #[arg(long)]
    reset: bool,
    /// Only say how it ended, and `listening on http://HOST:PORT` if it stays up.
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
    /// Print one JSON object a step, one for how it ended, and one with address and sign-ins.
    #[arg(long)]
    json: bool,
    /// Be the deployment that the story kills: print where it is, and end when the input does.
    #[arg(long, hide = true)]
    node: bool,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let listen = self.listen.map(|value| flag("--listen", "listen", value));
        let (configuration, _) = settings.load_with_entries(listen.into_iter().collect(), &DEFAULTS)?;
        logging::begin(&configuration.log)?;
        let said = |failure: crate::demo::Failure| failure.to_string();
        if self.node {
            return be_node(configuration).await;
        }
        if self.reset {
            ground::clear(&configuration).await.map_err(said)?;
        }
        ground::claim(&configuration).await.map_err(said)?;
        let voice = match (self.quiet, self.json) {
            (true, _) => Voice::Quiet,
            (_, true) => Voice::Json,
            _ => Voice::Person,
        };
        let failure = |error: io::Error| format!("signals cannot be received: {error}");
        let mut terminate = signal(SignalKind::terminate()).map_err(failure)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failure)?;
        let mut narrator = Narrator::new(voice, Box::new(io::stdout()));
        let stage = Stage::set(configuration).await.map_err(|error| error.to_string())?;
        let told = tokio::select! {
            told = Story::new(&stage, &mut narrator).tell() => told.map_err(|failure| failure.to_string()),
            _ = terminate.recv() => Err("the story was interrupted".to_owned()),
            _ = interrupt.recv() => Err("the story was interrupted".to_owned()),
        };
        let is_good = told.is_ok();
        let outcome = told.err().map_or_else(
            || "Every step came out as it should.".to_owned(),
            |failure| format!("A step came out otherwise than it should: {failure}"),
        );
        narrator.end(&outcome, is_good).map_err(|error| error.to_string())?;
        if is_good && !self.once {
            narrator.invite(&Invitation::to(&stage)).map_err(|error| error.to_string())?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        stage.strike().await;
        Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

async fn be_node(configuration: Configuration) -> Result<ExitCode, Failure> {
    let stage = Stage::set(configuration).await.map_err(|error| error.to_string())?;
    let mut narrator = Narrator::new(Voice::Quiet, Box::new(io::sink()));
    let prepared = Story::new(&stage, &mut narrator).prepare().await.map_err(|failure| failure.to_string());
    if prepared.is_ok() {
        let told = serde_json::json!({"address": stage.url()});
        writeln!(io::stdout(), "{told}").map_err(|error| error.to_string())?;
        // Nothing ever comes: the input ends with the process that began this one.
        let _ = tokio::io::stdin().read_u8().await;
    }
    stage.strike().await;
    prepared?;
    Ok(ExitCode::SUCCESS)
}
