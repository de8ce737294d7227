//! A note of work to do names the issue that owns it.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) fn check(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let sources = files.iter().filter(|path| {
        path.extension().is_some_and(|extension| extension == "rs" || extension == "sql" || extension == "py")
    });
    sources
        .flat_map(|path| {
            let text = fs::read_to_string(root.join(path)).unwrap_or_default();
            let unowned = unowned_notes(&text);
            unowned
                .into_iter()
                .map(move |line| format!("{}:{line}: name the issue that owns this note", path.display()))
        })
        .collect()
}

/// The numbers of the lines with a note that names no issue, such as `#12`.
fn unowned_notes(text: &str) -> Vec<usize> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let is_unowned = |line: &str| marks.iter().any(|mark| line.contains(mark)) && !line.contains('#');
    text.lines().enumerate().filter(|(_, line)| is_unowned(line)).map(|(at, _)| at + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_without_an_issue_is_found() {
        let text = concat!("fn a() {}\n// TO", "DO: later\n// TO", "DO #12: later\n");
        assert_eq!(unowned_notes(text), [2]);
    }
}
