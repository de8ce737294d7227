//! `buildly audit`

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Failure, Settings, list, number, print, text};
use crate::local::{Against, Task};

const VERIFY_EXAMPLES: &str = "\
Examples:
  buildly audit verify
  buildly audit verify --data-dir /backup/buildly
  buildly audit verify --checkpoint /elsewhere/2026-11-26.json
  buildly audit verify --checkpoint 2026-11-26.json --public-key 3b6a27…

Checks that each organization's events follow each other without a gap and that none was
changed. Exits with 1 and names the first event that does not fit, if one does not.

By itself a chain cannot show that its end was cut off, that it was removed as a whole, or that
all of it was written anew by somebody who can write the database. An exported checkpoint does:
up to the event that it names, the chain is the one that was signed. What came after the newest
checkpoint that you kept is as good as the chain by itself. See docs/audit.md.";

const CHECKPOINT_EXAMPLES: &str = "\
Examples:
  buildly audit checkpoint > /elsewhere/2026-11-26.json
  buildly audit checkpoint --output /elsewhere/2026-11-26.json

Signs the end of every chain with `keys/checkpoint.key` of the data folder, which is never in the
database. Keep the file where whoever can write the database cannot, and note the public key that
is printed: `buildly audit verify --checkpoint FILE` then proves that no event before it was
changed, cut off or written anew.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every chain of the journal; nothing is written.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Sign the ends of all chains, to be kept elsewhere.
    #[command(after_help = CHECKPOINT_EXAMPLES)]
    Checkpoint {
        /// Write to this file, which must not exist, instead of standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Also check that the chains are those of which these checkpoints were exported.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The public key that signed them [default: that of the key in the data folder].
    #[arg(long, value_name = "KEY", requires = "checkpoint")]
    public_key: Option<String>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

impl Command {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        match self {
            Self::Verify(command) => command.run(settings).await,
            Self::Checkpoint { output } => {
                let signed = settings.ask(Task::Checkpoint {}).await?;
                match output {
                    None => print(&format!("{signed:#}\n")),
                    Some(file) => {
                        write(&file, &signed)?;
                        let (count, key) = (list(&signed, "checkpoints").len(), text(&signed, "public_key"));
                        print(&format!(
                            "{count} checkpoints written to {}, signed by the key {key}\n",
                            file.display()
                        ))
                    }
                }
            }
        }
    }
}

impl Verify {
    async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let file = self.checkpoint.map(std::path::absolute).transpose().map_err(|error| error.to_string())?;
        let against = Against { file, public_key: self.public_key };
        let found = settings.ask(Task::VerifyAudit { against }).await?;
        print(&if self.json { format!("{found:#}\n") } else { sentences(&found) })?;
        let holds = list(&found, "broken").is_empty();
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn write(file: &std::path::Path, signed: &Value) -> Result<(), Failure> {
    let failed = |error: std::io::Error| format!("`{}` cannot be written: {error}", file.display());
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(file).map_err(failed)?;
    writeln!(new, "{signed:#}").and_then(|()| new.sync_all()).map_err(failed)
}

fn sentences(found: &Value) -> String {
    let (events, chains) = (number(found, "events"), number(found, "chains"));
    let mut sentences = format!("{events} events in {chains} chains hold\n");
    match number(found, "checkpoints") {
        0 => {}
        agreeing => sentences.push_str(&format!("{agreeing} checkpoints agree with them\n")),
    }
    for chain in list(found, "broken") {
        let whose = chain.get("organization").and_then(Value::as_str).unwrap_or("the deployment");
        sentences.push_str(&format!("BROKEN: the chain of {whose}: {}\n", text(chain, "reason")));
    }
    sentences
}
