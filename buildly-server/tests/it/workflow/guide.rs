//! `docs/workflow.md`, done as it stands: its files are written, its commands run one after the
//! other, and what they print is compared with what the page shows.
//!
//! In what is shown, `…` stands for what differs each time; alone on a line, for any lines.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use buildly_core::workflow::template::{
    BOUND_MAX, LEVEL_DEPTH_MAX, LEVELS_MAX, TEMPLATE_BYTES_MAX, WINDOW_MAX,
};
use buildly_core::workflow::{EXPRESSION_BYTES_MAX, SIGNALS_MAX, VARIABLES_BYTES_MAX};

use crate::process::{Folder, Serving, Storage};

/// No command of the page takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Says in the shell's output that a command has ended, and how.
const MARK: &str = "-- exit code ";

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/workflow.md");
    std::fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn the_guide_can_be_followed_on_sqlite() {
    follow(&Storage::sqlite());
}

#[tokio::test]
async fn the_guide_can_be_followed_on_postgres() {
    let storage = Storage::postgres();
    follow(&storage);
    storage.remove().await;
}

#[test]
fn the_guide_names_the_limits_as_they_are() {
    let page = page();
    for (what, limit) in [
        ("levels of a template", LEVELS_MAX as u64),
        ("levels inside each other", LEVEL_DEPTH_MAX as u64),
        ("bytes of a template", TEMPLATE_BYTES_MAX as u64),
        ("items of a `for_each`, rounds of a `loop`", u64::from(BOUND_MAX)),
        ("items of a `for_each` at once", u64::from(WINDOW_MAX)),
        ("bytes of an expression", EXPRESSION_BYTES_MAX as u64),
        ("bytes of input, variables and results of a run", VARIABLES_BYTES_MAX),
        ("signals that a run keeps", SIGNALS_MAX as u64),
    ] {
        let row = format!("| {what} | {} |", grouped(limit));
        assert!(page.contains(&row), "the page does not have `{row}`");
    }
}

/// A number with blanks between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Does what the page says.
fn follow(storage: &Storage) {
    let (steps, folder) = (steps(&page()), Folder::new());
    let commands = steps.iter().filter(|step| matches!(step, Step::Command { .. })).count();
    assert!(commands >= 40, "the page shows only {commands} commands");
    let mut reader = Reader::new(storage, &folder.0);
    for step in steps {
        match step {
            Step::File { name, text } => std::fs::write(folder.0.join(name), text).unwrap(),
            Step::Command { line, shown } => reader.follow(&line, &shown),
        }
    }
    for serving in std::mem::take(&mut reader.serving) {
        assert_eq!(serving.terminate().code(), Some(0));
    }
}

enum Step {
    /// A block of YAML whose first line is a comment with the file's name.
    File { name: String, text: String },
    /// A line after `$ `, with what is shown below it.
    Command { line: String, shown: Vec<String> },
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language {
            "yaml" => {
                let name = block[0].strip_prefix("# ").expect("a block of YAML begins with its file's name");
                steps.push(Step::File { name: name.to_owned(), text: block.join("\n") + "\n" });
            }
            "console" => steps.extend(commands(&block)),
            "text" => {}
            other => panic!("a block of `{other}` is not run by this test"),
        }
    }
    steps
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

/// Somebody who follows the page in one shell; what serves runs beside it.
struct Reader<'a> {
    storage: &'a Storage,
    folder: &'a Path,
    shell: Child,
    input: ChildStdin,
    output: mpsc::Receiver<String>,
    /// The addresses of the page, and those that they are here.
    addresses: BTreeMap<String, String>,
    serving: Vec<Serving>,
}

impl<'a> Reader<'a> {
    fn new(storage: &'a Storage, folder: &'a Path) -> Self {
        let mut shell = Command::new("bash");
        for (name, value) in storage.command(folder, &[]).get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let programs = Path::new(env!("CARGO_BIN_EXE_buildly")).parent().unwrap();
        shell.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()));
        shell.env("BUILDLY_DATA_DIR", folder.join("data")).current_dir(folder);
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = shell.stdin.take().unwrap();
        writeln!(input, "exec 2>&1").unwrap();
        let (lines, output) = mpsc::channel();
        let printed = BufReader::new(shell.stdout.take().unwrap());
        std::thread::spawn(move || {
            printed.lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        Self { storage, folder, shell, input, output, addresses: BTreeMap::new(), serving: Vec::new() }
    }

    fn follow(&mut self, line: &str, shown: &[String]) {
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "\\").collect();
        if words.starts_with(&["buildly", "serve"]) || words.starts_with(&["buildly", "service", "run"]) {
            return self.serve(&words[1..]);
        }
        let (got, code) = self.run(&self.here(line));
        let got: Vec<String> = got.iter().map(|line| self.there(line)).collect();
        assert_eq!(code, "0", "`{line}` failed:\n{}", got.join("\n"));
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let lines: Vec<&str> = got.iter().map(String::as_str).collect();
        assert!(
            shown.is_empty() || are_as_shown(&shown, &lines),
            "`{line}` is shown to print\n{}\nbut prints\n{}",
            shown.join("\n"),
            got.join("\n")
        );
    }

    /// Starts what goes on beside the shell, on a free port.
    fn serve(&mut self, arguments: &[&str]) {
        let listen = arguments.iter().position(|argument| *argument == "--listen");
        let address = listen.map_or("127.0.0.1:8080", |place| arguments[place + 1]);
        let mut arguments: Vec<String> = arguments.iter().map(|argument| self.here(argument)).collect();
        match listen {
            Some(place) => arguments[place + 1] = "127.0.0.1:0".to_owned(),
            None => arguments.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]),
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let serving = Serving::of(self.storage.command(self.folder, &arguments));
        let here = serving.url.trim_start_matches("http://").to_owned();
        self.addresses.insert(address.to_owned(), here);
        self.serving.push(serving);
    }

    /// What a line prints, and its exit code.
    fn run(&mut self, line: &str) -> (Vec<String>, String) {
        // A last line without its end must not swallow the mark.
        write!(self.input, "{line}\nprintf '\\n{MARK}%s\\n' $?\n").unwrap();
        self.input.flush().unwrap();
        let mut lines = Vec::new();
        loop {
            let next = self.output.recv_timeout(PATIENCE);
            let next = next.unwrap_or_else(|error| panic!("`{line}`: {error}, after {lines:?}"));
            if let Some(code) = next.strip_prefix(MARK) {
                while lines.last().is_some_and(|line: &String| line.is_empty()) {
                    lines.pop();
                }
                return (lines, code.to_owned());
            }
            lines.push(next);
        }
    }

    /// With the addresses as they are here.
    fn here(&self, text: &str) -> String {
        self.addresses.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }

    /// With the addresses of the page.
    fn there(&self, text: &str) -> String {
        self.addresses.iter().fold(text.to_owned(), |text, (there, here)| text.replace(here, there))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let _ended_already = self.shell.kill();
        let _waited_already = self.shell.wait();
    }
}

/// Whether lines are those of the page.
fn are_as_shown(shown: &[&str], lines: &[&str]) -> bool {
    match (shown, lines) {
        ([], []) => true,
        (["…", rest @ ..], _) => (0..=lines.len()).any(|skipped| are_as_shown(rest, &lines[skipped..])),
        ([first, shown @ ..], [line, lines @ ..]) => {
            is_as_shown(first.trim_end(), line.trim_end()) && are_as_shown(shown, lines)
        }
        _ => false,
    }
}

fn is_as_shown(shown: &str, line: &str) -> bool {
    match shown.split_once('…') {
        None => shown == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(place, _)| place).chain([rest.len()]);
            ends.into_iter().any(|place| is_as_shown(after, &rest[place..]))
        }),
    }
}

#[test]
fn what_is_shown_is_compared() {
    for (shown, line, is_same) in [
        ("a", "a", true),
        ("a", "b", false),
        ("run … is done", "run 7 is done", true),
        ("run … is done", "run 7 is not", false),
        ("…", "", true),
        ("a…b…", "a1b2", true),
        ("a…b", "a1b2", false),
    ] {
        assert_eq!(is_as_shown(shown, line), is_same, "{shown} / {line}");
    }
    assert!(are_as_shown(&["a", "…", "d"], &["a", "b", "c", "d"]));
    assert!(!are_as_shown(&["a", "…", "e"], &["a", "b", "c", "d"]));
    assert!(!are_as_shown(&["a"], &["a", "b"]));
}
