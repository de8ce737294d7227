//! The project's own commands: `cargo xtask test`, `cargo xtask python`, `cargo xtask api`,
//! `cargo xtask tidy`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to the terminal")]

mod api;
mod gate;
mod python;
mod services;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every check and every test, installing or starting what they need.
    ///
    /// The last line of the output is `N passed, N failed, N skipped`.
    Test,
    /// Build the Python binding and run its tests, as `test` does.
    Python,
    /// Compare the public API of the library with its lists in `docs/public-api`.
    Api {
        /// Write the lists anew.
        #[arg(long)]
        write: bool,
    },
    /// Check our own rules: arrows between crates, file lengths, migration pairs, licences.
    Tidy,
}

fn main() -> ExitCode {
    if let Some(code) = api::stand_in() {
        return code;
    }
    let root = root();
    match Arguments::parse().command {
        Command::Test => gate::run(&root),
        Command::Python => {
            let outcome = python::test(&root);
            println!("{}", outcome.skipped.as_deref().unwrap_or_else(|| outcome.in_a_word()));
            if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Command::Api { write } => {
            if !gate::document(&root) {
                return ExitCode::FAILURE;
            }
            tell(&if write { api::write(&root) } else { api::check(&root) })
        }
        Command::Tidy => tell(&tidy::check(&root)),
    }
}

fn tell(findings: &[String]) -> ExitCode {
    findings.iter().for_each(|finding| println!("{finding}"));
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The checkout that this command was built in.
fn root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(PathBuf::from).unwrap_or(package)
}
