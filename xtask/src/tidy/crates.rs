//! What a program builds that embeds the library stays small: it is counted, so that it does not
//! grow unseen.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The library on SQLite, without server, PostgreSQL, mail by SMTP and JSON Schemas.
pub(crate) const LIBRARY: [&str; 5] =
    ["--package", "buildly-core", "--no-default-features", "--features", "sqlite"];
/// The most crates that it may be, those of ours and those for building alone among them.
pub(crate) const CRATES_MAX: usize = 150;

pub(super) fn check(root: &Path) -> Option<String> {
    match count(root) {
        Ok(crates) => finding(crates),
        Err(reason) => Some(reason),
    }
}

fn finding(crates: usize) -> Option<String> {
    (crates > CRATES_MAX).then(|| {
        format!(
            "the library on SQLite builds {crates} crates, at most {CRATES_MAX} are meant: do without one, or \
             put it behind a feature (see `cargo tree {}`)",
            LIBRARY.join(" ")
        )
    })
}

/// How many crates the library builds.
pub(crate) fn count(root: &Path) -> Result<usize, String> {
    let mut command = Command::new("cargo");
    command.current_dir(root).arg("tree").args(LIBRARY);
    command.args(["--target", "x86_64-unknown-linux-gnu", "--edges", "normal,build"]);
    let output = command.args(["--prefix", "none", "--no-dedupe"]).output();
    let output = output.map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(crates_in(&String::from_utf8_lossy(&output.stdout)))
}

/// The crates that a listing names, each version once.
fn crates_in(listing: &str) -> usize {
    let named = listing.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    named.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_of_a_crate_counts_once() {
        let listing =
            "a v1.0.0 (/home)\nb v0.1.0 (proc-macro)\nc v2.0.0\nb v0.1.0 (proc-macro) (*)\n\nc v3.0.0\n";
        assert_eq!(crates_in(listing), 4);
    }

    #[test]
    fn one_crate_too_many_is_found() {
        assert_eq!(finding(CRATES_MAX), None);
        assert!(finding(CRATES_MAX + 1).is_some_and(|finding| finding.contains("151 crates")));
    }
}
