//! `buildly user`

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Failure, Settings, password, print, text};
use crate::local::Task;

const EXAMPLES: &str = "\
Examples:
  echo \"$PASSWORD\" | buildly user reset-password ada --password-stdin

Everything that was signed in with the old password is signed out at once.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set a user's password.
    #[command(after_help = EXAMPLES)]
    ResetPassword(ResetPassword),
}

#[derive(Debug, Args)]
pub(super) struct ResetPassword {
    /// The name the user signs in with.
    #[arg(value_name = "USERNAME")]
    username: String,
    /// Read the password from standard input, up to the first line break; this is the default,
    /// and the flag says so in scripts.
    #[arg(long)]
    password_stdin: bool,
}

impl Command {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let Self::ResetPassword(ResetPassword { username, password_stdin: _ }) = self;
        let password = password::read()?;
        let done = settings.ask(Task::SetPassword { username, password }).await?;
        print(&format!("password of `{}` set\n", text(&done, "username")))
    }
}
