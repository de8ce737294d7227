//! Our own rules that a machine can check.

mod arrows;
mod crates;
mod lengths;
mod licences;
mod metadata;
mod migrations;
mod owners;

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use crates::{CRATES_MAX, LIBRARY, count};

/// Every breach of a rule, one sentence each.
pub(crate) fn check(root: &Path) -> Vec<String> {
    let files = tracked_files(root);
    let mut findings = Vec::new();
    match metadata::read(root) {
        Ok(metadata) => {
            findings.extend(arrows::check(&metadata));
            findings.extend(licences::check(root, &metadata));
        }
        Err(reason) => findings.push(reason),
    }
    findings.extend(crates::check(root));
    findings.extend(lengths::check(root, &files));
    findings.extend(migrations::check(root));
    findings.extend(owners::check(root, &files));
    findings
}

/// The files of the checkout that git knows or would take.
fn tracked_files(root: &Path) -> Vec<PathBuf> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output();
    let listing = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&listing)
        .lines()
        .map(PathBuf::from)
        .filter(|path| root.join(path).exists())
        .collect()
}
