//! A file holds one idea and stays under about 400 lines; tests stand apart.

use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 400;

pub(super) fn check(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let mut findings = Vec::new();
    for path in files.iter().filter(|path| is_counted(path)) {
        let lines = fs::read_to_string(root.join(path)).map(|text| counted_lines(&text)).unwrap_or(0);
        if lines > LINES_MAX {
            findings.push(format!(
                "{}: {lines} lines; a file holds one idea and has at most {LINES_MAX}: split it",
                path.display()
            ));
        }
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            findings
                .push(format!("{}: modules are `name.rs` beside `name/`, never `mod.rs`", path.display()));
        }
    }
    findings
}

fn is_counted(path: &Path) -> bool {
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    let is_test = path.components().any(|part| part.as_os_str() == "tests")
        || path.file_name().is_some_and(|name| name == "tests.rs" || name == "conformance.rs")
        || path.components().any(|part| part.as_os_str() == "conformance");
    is_rust && !is_test
}

/// The lines before a test module at the end of the file.
fn counted_lines(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count() {
        assert_eq!(counted_lines("one\ntwo\n#[cfg(test)]\nmod tests {\n}\n"), 2);
        assert!(!is_counted(Path::new("a/tests/it/main.rs")));
        assert!(!is_counted(Path::new("a/src/check/tests.rs")));
        assert!(is_counted(Path::new("a/src/check.rs")));
    }
}
