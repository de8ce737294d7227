//! Which core does what: the measured program has one, load and stub share the other.

use std::ffi::OsStr;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::process::Command;

/// The core of whatever is measured.
const MEASURED: usize = 0;
/// The core of load and stub.
const LOAD: usize = 1;

/// Keeps this process, and all that it starts, off the core of what is measured; false if the
/// machine has one core only, where figures mean little.
///
/// Call it before there are other threads.
#[must_use]
pub fn leave_one_free() -> bool {
    let mut cores = CpuSet::new();
    cores.set(LOAD);
    let has_both = sched_getaffinity(None).is_ok_and(|all| all.is_set(MEASURED) && all.is_set(LOAD));
    has_both && sched_setaffinity(None, &cores).is_ok()
}

/// A program that runs on the core of what is measured, and there alone.
pub fn on_the_measured(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &MEASURED.to_string()]).arg(program);
    command
}

/// A program that may run on all cores, whatever this one may.
pub fn on_all(program: impl AsRef<OsStr>) -> Command {
    let last = std::fs::read_to_string("/sys/devices/system/cpu/online");
    let mut command = Command::new("taskset");
    command.args(["-c", last.as_deref().unwrap_or("0").trim()]).arg(program);
    command
}
