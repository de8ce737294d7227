//! What a program and all that it started have used of the machine, as `/proc` says.

use std::time::Duration;

/// The kernel counts in hundredths of a second on every Linux that we know.
const TICK: Duration = Duration::from_millis(10);

/// The time on a core, in user and kernel mode, of a process and its descendants.
#[must_use]
pub fn cpu(process: u32) -> Duration {
    let ticks: u32 = tree(process).into_iter().filter_map(ticks_of).sum();
    TICK * ticks
}

/// The memory that a process and its descendants hold, in MiB.
#[must_use]
pub fn resident_mib(process: u32) -> f64 {
    let kib = |process: u32| -> Option<u32> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    f64::from(tree(process).into_iter().filter_map(kib).sum::<u32>()) / 1024.0
}

fn ticks_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, which may hold anything, ends with the last bracket.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    Some(fields.next()?.parse::<u32>().ok()? + fields.next()?.parse::<u32>().ok()?)
}

fn tree(process: u32) -> Vec<u32> {
    let mut all = vec![process];
    let mut next = 0;
    while let Some(process) = all.get(next).copied() {
        next += 1;
        let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { continue };
        for thread in threads.flatten() {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    all
}
