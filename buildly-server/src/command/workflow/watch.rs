//! `buildly workflow watch`

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use buildly_model::RunId;
use clap::Args;
use serde_json::Value;

use super::super::{Settings, number};
use super::screen::{Screen, Size};
use super::tree::{self, Row};
use super::{Acting, Asking, Failure, code_of, is_ended};
use crate::local::Ask;

const EXAMPLES: &str = "\
Examples:
  buildly workflow watch 01890a5d-ac96-774b-bcce-b302099a8057
  buildly workflow watch $(buildly workflow start order) | tee order.log

On a terminal the tree is drawn anew in its place at each change; elsewhere each change is a line.
Ends when the run does, with 0 if it is completed and with 1 otherwise. Ctrl-C ends watching, not
the run. Set NO_COLOR to draw without colours.";

/// One question waits so long for a change.
const WAIT_MS: u64 = 2_000;
/// The tree is drawn no more often than this.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::command) struct Arguments {
    /// The run's id.
    #[arg(value_name = "RUN")]
    run: RunId,
    #[command(flatten)]
    acting: Acting,
}

impl Arguments {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let asking = self.acting.begin(settings).await?;
        let outcome = watch(&asking, self.run).await;
        asking.end().await;
        outcome
    }
}

async fn watch(asking: &Asking, run: RunId) -> Result<ExitCode, Failure> {
    let mut teller = Teller::of_output();
    let mut seen = None;
    loop {
        let answer = asking.ask(Ask::Show { run, seen, wait_ms: WAIT_MS }).await?;
        let run = answer.get("run").cloned().unwrap_or_default();
        let version = number(&run, "version");
        let told = if seen == Some(version) {
            Ok(())
        } else {
            teller
                .tell(&run, &tree::rows(&answer)?)
                .and_then(|()| if is_ended(&run) { write(&tree::outcome(&run)) } else { Ok(()) })
        };
        match told {
            Ok(()) if is_ended(&run) => return Ok(code_of(&run)),
            Ok(()) => {}
            // Nobody listens any more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            Err(error) => return Err(error.to_string()),
        }
        asking.require_work()?;
        seen = Some(version);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tells how a run stands: in place, or in lines one after the other.
enum Teller {
    Terminal { screen: Screen, is_coloured: bool },
    Lines { before: Option<Vec<Row>>, status: String },
}

impl Teller {
    fn of_output() -> Self {
        if io::stdout().is_terminal() {
            let is_coloured = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            Self::Terminal { screen: Screen::default(), is_coloured }
        } else {
            Self::Lines { before: None, status: String::new() }
        }
    }

    fn tell(&mut self, run: &Value, rows: &[Row]) -> io::Result<()> {
        match self {
            Self::Terminal { screen, is_coloured } => {
                write(&screen.redraw(&tree::heading(run), rows, size(), *is_coloured))
            }
            Self::Lines { before, status } => {
                let mut lines = match before {
                    None => {
                        let reached = rows.iter().filter(|row| row.is_reached()).map(Row::change);
                        format!("{}{}", tree::heading(run), reached.collect::<String>())
                    }
                    Some(before) => changes(before, rows),
                };
                let now = super::super::text(run, "status");
                if before.is_some() && status != now && !is_ended(run) {
                    lines.push_str(&format!("the run is {}\n", now.replace('_', " ")));
                }
                now.clone_into(status);
                *before = Some(rows.to_vec());
                write(&lines)
            }
        }
    }
}

/// A line for each level that stands otherwise than before.
fn changes(before: &[Row], now: &[Row]) -> String {
    let changed = now.iter().enumerate().filter(|(place, row)| before.get(*place) != Some(row));
    changed.map(|(_, row)| row.change()).collect()
}

fn write(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush())
}

/// The terminal's; a usual one where it is not known.
fn size() -> Size {
    terminal_size::terminal_size().map_or(Size { columns: 80, rows: 24 }, |(width, height)| Size {
        columns: usize::from(width.0),
        rows: usize::from(height.0),
    })
}
