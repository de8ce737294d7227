//! The gate: every check and every test, in the order in which faults are found soonest.
#![expect(clippy::disallowed_methods, reason = "shows a person how long each step took")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{fs, io};

use crate::{api, python, services, tidy};

/// What is off by default and checked all the same.
const FEATURES: &[&str] = &["--features", "buildly-server/nats"];
/// One set of packages and features for every call, so that nothing is built twice.
const PACKAGES: [&str; 5] = ["--workspace", "--exclude", "benches", "--exclude", "fuzz"];
/// Where a test that has to skip something says so, one line each.
const SKIPPED: &str = "target/skipped-tests.txt";

/// What has come out so far.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Runs everything; fails if anything failed.
pub(crate) fn run(root: &Path) -> ExitCode {
    let mut tally = Tally::default();
    let _ = fs::remove_file(root.join(SKIPPED));
    if let Err(reason) = services::start() {
        eprintln!("{reason}");
        return ExitCode::FAILURE;
    }
    tally.check("format", || cargo(root, &["fmt", "--all", "--check"]));
    tally.check("tidy", || {
        let findings = tidy::check(root);
        findings.iter().for_each(|finding| println!("{finding}"));
        findings.is_empty()
    });
    tally.check("small library", || {
        match tidy::count(root) {
            Ok(crates) => println!("{crates} crates, of at most {}", tidy::CRATES_MAX),
            Err(reason) => println!("{reason}"),
        }
        // Nothing else builds these features alone.
        cargo(root, &[&["clippy"], &tidy::LIBRARY[..], &["--", "-D", "warnings"]].concat())
    });
    let clippy =
        [&["clippy"], &packages(root)[..], FEATURES, &["--all-targets", "--", "-D", "warnings"]].concat();
    tally.check("clippy", || cargo(root, &clippy));
    let tests = [&["test"], &packages(root)[..], FEATURES, &["--no-fail-fast"]].concat();
    let started = Instant::now();
    let all_passed = run_tests(root, &tests, &mut tally);
    println!("== tests: {} in {:.0?}", if all_passed { "passed" } else { "FAILED" }, started.elapsed());
    if !all_passed && tally.failed == 0 {
        tally.failed += 1;
    }
    println!("== Python binding");
    let started = Instant::now();
    let outcome = python::test(root);
    if let Some(reason) = &outcome.skipped {
        println!("skipped: {reason}");
    }
    println!("== Python binding: {} in {:.0?}", outcome.in_a_word(), started.elapsed());
    tally.add(&outcome);
    tally.check("docs", || document(root));
    tally.check("public API", || {
        let findings = api::check(root);
        findings.iter().for_each(|finding| println!("{finding}"));
        findings.is_empty()
    });
    tally.count_skipped(root);
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
    if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Makes the documentation, and has the public API told beside it.
pub(crate) fn document(root: &Path) -> bool {
    api::document(root, &packages(root))
}

/// Cargo refuses to exclude a package that does not exist.
fn packages(root: &Path) -> Vec<&'static str> {
    let mut packages = vec![PACKAGES[0]];
    for pair in PACKAGES[1..].chunks(2) {
        if pair
            .last()
            .is_some_and(|name| root.join(name).join("Cargo.toml").exists() && is_member(root, name))
        {
            packages.extend(pair);
        }
    }
    packages
}

fn is_member(root: &Path, name: &str) -> bool {
    fs::read_to_string(root.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == format!("\"{name}\",")))
}

impl Tally {
    fn check(&mut self, name: &str, check: impl FnOnce() -> bool) {
        println!("== {name}");
        let started = Instant::now();
        let passed = check();
        println!("== {name}: {} in {:.0?}", if passed { "passed" } else { "FAILED" }, started.elapsed());
        if passed { self.passed += 1 } else { self.failed += 1 }
    }

    fn add(&mut self, outcome: &python::Outcome) {
        self.passed += outcome.passed;
        self.failed += outcome.failed;
        self.skipped += outcome.not_run + u64::from(outcome.skipped.is_some());
    }

    /// A test that skipped something has run to its end, so it was counted as passed.
    fn count_skipped(&mut self, root: &Path) {
        let skipped = fs::read_to_string(root.join(SKIPPED)).unwrap_or_default();
        for line in skipped.lines() {
            println!("skipped: {line}");
            self.skipped += 1;
            self.passed = self.passed.saturating_sub(1);
        }
    }

    fn add_result_line(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let number_before = |word: &str| {
            let before = counts.split(word).next().filter(|before| *before != counts)?;
            before.split_whitespace().next_back()?.parse::<u64>().ok()
        };
        self.passed += number_before(" passed").unwrap_or(0);
        self.failed += number_before(" failed").unwrap_or(0);
        self.skipped += number_before(" ignored").unwrap_or(0);
    }
}

fn cargo(root: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(arguments);
    command.status().is_ok_and(|status| status.success())
}

/// Runs the tests, showing their output as it comes and adding up their results.
fn run_tests(root: &Path, arguments: &[&str], tally: &mut Tally) -> bool {
    println!("== tests");
    let mut run = || -> io::Result<bool> {
        let mut command = Command::new("cargo");
        command.current_dir(root).args(arguments).stdout(Stdio::piped());
        command.env("XTASK_SKIPPED_TESTS", root.join(SKIPPED));
        let mut child = command.spawn()?;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines() {
                let line = line?;
                println!("{line}");
                tally.add_result_line(&line);
            }
        }
        Ok(child.wait()?.success())
    };
    run().unwrap_or_else(|error| {
        println!("the tests could not be run: {error}");
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_every_test_binary_are_added() {
        let mut tally = Tally::default();
        tally.add_result_line("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        tally.add_result_line("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured");
        tally.add_result_line("running 3 tests");
        assert_eq!((tally.passed, tally.failed, tally.skipped), (15, 2, 1));
    }
}
