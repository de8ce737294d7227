//! How every bench begins and ends.
#![expect(clippy::print_stderr, reason = "a bench speaks to the terminal")]

use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::ours::become_buildly;
use crate::{Failure, cores};

/// Runs a bench on one thread; or is the server that one measures, in the process that is to be it.
pub fn run(bench: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    become_buildly().unwrap_or_else(|| run_on(&mut Builder::new_current_thread(), bench))
}

/// The same, on these threads.
pub fn run_threaded(threads: usize, bench: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let mut builder = Builder::new_multi_thread();
    become_buildly().unwrap_or_else(|| run_on(builder.worker_threads(threads), bench))
}

/// The same as [`run`], off the core that what is measured has to itself.
pub fn run_beside_one_core(bench: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    become_buildly().unwrap_or_else(|| {
        if !cores::leave_one_free() {
            println!("WARNING: less than two cores: load and server share one, and no figure means much");
        }
        run_on(&mut Builder::new_current_thread(), bench)
    })
}

fn run_on(builder: &mut Builder, bench: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = builder.enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(bench)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
