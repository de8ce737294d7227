//! Builds the Python binding as its users do, and runs its tests in a virtual environment under
//! `target/`.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

const BINDING: &str = "bindings/python";
const ENVIRONMENT: &str = "target/python/venv";
/// What builds the wheel; `pyproject.toml` names the same.
const BUILDER: &str = "maturin>=1.16,<2";

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Tests that pytest skipped.
    pub(crate) not_run: u64,
    /// Why nothing could be tried.
    pub(crate) skipped: Option<String>,
}

impl Outcome {
    pub(crate) fn in_a_word(&self) -> &'static str {
        match self {
            Self { skipped: Some(_), .. } => "skipped",
            Self { failed: 0, .. } => "passed",
            Self { .. } => "FAILED",
        }
    }

    fn failed() -> Self {
        Self { failed: 1, ..Self::default() }
    }
}

/// Installs the binding and runs its tests. Where the package registry cannot be reached, that
/// is counted as skipped.
pub(crate) fn test(root: &Path) -> Outcome {
    let python = match environment(root) {
        Ok(python) => python,
        Err(reason) => return Outcome { skipped: Some(reason), ..Outcome::default() },
    };
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation"]);
    install.arg(root.join(BINDING));
    // The builder calls its own command by name.
    if let Ok(path) = beside(&python) {
        install.env("PATH", path);
    }
    // As the other tests are built, and beside them: nothing of it is wanted optimised here.
    install.env("MATURIN_PEP517_ARGS", "--profile dev").env("CARGO_TARGET_DIR", root.join("target"));
    if !install.status().is_ok_and(|status| status.success()) {
        println!("the wheel of {BINDING} cannot be built or installed");
        return Outcome::failed();
    }
    run(root, &python).unwrap_or_else(|error| {
        println!("the tests of {BINDING} could not be run: {error}");
        Outcome::failed()
    })
}

/// The search path with the folder of `program` before all others.
fn beside(program: &Path) -> Result<OsString, env::JoinPathsError> {
    let before = env::var_os("PATH").unwrap_or_default();
    env::join_paths(program.parent().map(PathBuf::from).into_iter().chain(env::split_paths(&before)))
}

/// A Python with what builds the wheel and what its tests use.
fn environment(root: &Path) -> Result<PathBuf, String> {
    let folder = root.join(ENVIRONMENT);
    let python = folder.join("bin/python");
    if !python.exists() {
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        prepare(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", BUILDER, "-r"]);
    prepare(install.arg(root.join(BINDING).join("tests/requirements.txt")))?;
    Ok(python)
}

fn prepare(command: &mut Command) -> Result<(), String> {
    let reason = match command.output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    let first = reason.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason was given");
    Err(format!("the Python binding: what its tests need cannot be installed: {first}"))
}

fn run(root: &Path, python: &Path) -> io::Result<Outcome> {
    let mut tests = Command::new(python);
    tests.current_dir(root.join(BINDING)).args(["-m", "pytest", "-p", "no:cacheprovider"]);
    let mut child = tests.stdout(Stdio::piped()).spawn()?;
    let mut outcome = Outcome::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            if let Some(summary) = summary_of(&line) {
                outcome = summary;
            }
        }
    }
    if !child.wait()?.success() && outcome.failed == 0 {
        outcome.failed = 1;
    }
    Ok(outcome)
}

/// Reads pytest's last line, such as `1 failed, 90 passed, 2 skipped in 31.02s`.
fn summary_of(line: &str) -> Option<Outcome> {
    let (counts, _) = line.trim_matches(['=', ' ']).rsplit_once(" in ")?;
    let mut outcome = Outcome::default();
    for part in counts.split(", ") {
        let (number, word) = part.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match word {
            "passed" => outcome.passed += number,
            "failed" | "error" | "errors" => outcome.failed += number,
            "skipped" | "xfailed" | "deselected" => outcome.not_run += number,
            _ => {}
        }
    }
    Some(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_pytest_is_read() {
        let counted =
            |passed, failed, not_run| Some(Outcome { passed, failed, not_run, ..Outcome::default() });
        assert_eq!(summary_of("90 passed in 31.02s"), counted(90, 0, 0));
        let line = "=== 1 failed, 89 passed, 2 skipped, 3 warnings, 1 error in 61.02s (0:01:01) ===";
        assert_eq!(summary_of(line), counted(89, 2, 2));
        assert_eq!(summary_of("FAILED tests/test_x.py::test_it - wrong value in x"), None);
        assert_eq!(summary_of("............ [100%]"), None);
    }
}
