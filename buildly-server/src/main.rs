//! The `buildly` command.

use std::process::ExitCode;

/// Most of what a request allocates is freed by another thread than made it, which the C library's
/// allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    buildly_server::command::run()
}
