//! `buildly admin`

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Failure, Settings, password, print, text};
use crate::local::Task;

const EXAMPLES: &str = "\
Examples:
  buildly admin create --username ada --email ada@example.org --organization Acme
  echo \"$PASSWORD\" | buildly admin create --username ada --email ada@example.org \\
      --organization Acme --password-stdin

Makes the data folder if there is none. Works while a server runs and while none does.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a superuser.
    #[command(after_help = EXAMPLES)]
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The name to sign in with.
    #[arg(long, value_name = "NAME")]
    username: String,
    /// The address for mail.
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// Where the superuser belongs; made if there is none of that name.
    #[arg(long, value_name = "NAME")]
    organization: String,
    /// Read the password from standard input, up to the first line break; this is the default,
    /// and the flag says so in scripts.
    #[arg(long)]
    password_stdin: bool,
}

impl Command {
    pub(super) async fn run(self, settings: Settings) -> Result<ExitCode, Failure> {
        let Self::Create(Create { username, email, organization, password_stdin: _ }) = self;
        let password = password::read()?;
        let task = Task::CreateAdmin { username, email, organization, password };
        let made = settings.ask(task).await?;
        print(&format!("superuser `{}` made\n", text(&made, "username")))
    }
}
