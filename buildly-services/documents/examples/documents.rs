//! The documents service as a program of its own, with its files beside its database.

use std::process::ExitCode;

use buildly_documents::{Limits, declaration};
use buildly_kit::command::{self, ServiceFlags};

fn main() -> ExitCode {
    command::main(|flags: &ServiceFlags| {
        let folder = flags.data_dir.join("documents");
        declaration(&folder, Limits::default()).unwrap_or_else(|error| {
            tracing::error!(%error, folder = %folder.display(), "folder not opened");
            std::process::exit(1)
        })
    })
}
