//! The `buildly` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    buildly_server::command::run()
}
