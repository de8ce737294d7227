//! What a page tells to do: its files, its commands, and what these print.
//!
//! The first word after the fence is the language. Words after it are read here only:
//! - `console`: `sqlite` or `postgres`, if the commands are for one of the databases;
//! - any other language: the name of the file that the block is. YAML may also name it in its
//!   first line, after `# `.
//!
//! Blocks of `rust`, `sh` and nameless ones of `python` are [`quotations`] of `examples/`.

use std::path::Path;

use crate::process::Storage;

/// One thing to do.
pub(super) enum Step {
    /// Writes a file.
    File { name: String, text: String },
    /// A line after `$ `, with what is shown below it.
    Command { line: String, shown: Vec<String> },
}

/// The text of a page of `docs/`.
pub fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{name}.md"));
    std::fs::read_to_string(path).unwrap()
}

/// What is to do, in its order.
pub(super) fn steps(page: &str, storage: &Storage) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let (language, word) = fence.split_once(' ').map_or((fence, None), |(one, word)| (one, Some(word)));
        match (language, word) {
            ("console", word) if is_for(storage, word) => steps.extend(commands(&block)),
            ("console", _) | ("text" | "rust" | "sh" | "python", None) => {}
            ("yaml", None) => {
                let name = block[0].strip_prefix("# ").expect("a block of YAML begins with its file's name");
                steps.push(Step::File { name: name.to_owned(), text: block.join("\n") + "\n" });
            }
            (_, Some(name)) => {
                steps.push(Step::File { name: name.to_owned(), text: block.join("\n") + "\n" });
            }
            (other, None) => panic!("a block of `{other}` is not run by this test"),
        }
    }
    steps
}

/// The blocks that show a part of a program.
pub(super) fn quotations(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if matches!(fence, "rust" | "sh" | "python") {
            found.push(block.join("\n"));
        }
    }
    found
}

fn is_for(storage: &Storage, word: Option<&str>) -> bool {
    match word {
        None => true,
        Some("sqlite") => !storage.is_postgres(),
        Some("postgres") => storage.is_postgres(),
        Some(other) => panic!("`{other}` is no database"),
    }
}

fn commands(block: &[&str]) -> Vec<Step> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut goes_on = false;
    for line in block {
        match (goes_on, line.strip_prefix("$ "), found.last_mut()) {
            (true, _, Some((command, _))) => *command = format!("{command}\n{line}"),
            (_, Some(command), _) => found.push((command.to_owned(), Vec::new())),
            (_, None, Some((_, shown))) => shown.push((*line).to_owned()),
            (_, None, None) => panic!("a block of commands begins with one: {line}"),
        }
        goes_on = line.ends_with('\\') && (goes_on || line.starts_with("$ "));
    }
    found.into_iter().map(|(line, shown)| Step::Command { line, shown }).collect()
}
