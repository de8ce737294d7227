//! Somebody who follows a page in one shell; what serves runs beside it, on free ports.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::page::Step;
use super::shown::are_as_shown;
use crate::process::{Serving, Storage};

/// No command of a page takes longer; some install packages.
const PATIENCE: Duration = Duration::from_secs(240);
/// Says in the shell's output that a command has ended, and how.
const MARK: &str = "-- exit code ";

/// Somebody who follows a page.
pub(super) struct Reader<'a> {
    storage: &'a Storage,
    folder: &'a Path,
    shell: Child,
    input: ChildStdin,
    output: mpsc::Receiver<String>,
    /// The addresses and names of the page, and those that they are here.
    addresses: BTreeMap<String, String>,
    serving: Vec<Serving>,
    /// What ends by being killed.
    killed: Vec<Serving>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(storage: &'a Storage, folder: &'a Path) -> Self {
        let mut shell = Command::new("bash");
        prepare(&mut shell, storage, folder);
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = shell.stdin.take().unwrap();
        writeln!(input, "exec 2>&1").unwrap();
        let (lines, output) = mpsc::channel();
        let printed = BufReader::new(shell.stdout.take().unwrap());
        std::thread::spawn(move || {
            printed.lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        Self {
            storage,
            folder,
            shell,
            input,
            output,
            addresses: BTreeMap::new(),
            serving: Vec::new(),
            killed: Vec::new(),
        }
    }

    /// Uses another name for one of the page's.
    pub(super) fn call(&mut self, there: &str, here: &str) {
        self.addresses.insert(there.to_owned(), here.to_owned());
    }

    /// Does one thing that the page says.
    pub(super) fn follow(&mut self, step: &Step) {
        match step {
            Step::File { name, text } => {
                let path = self.folder.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, self.here(text)).unwrap();
            }
            Step::Command { line, shown } => self.perform(line, shown),
        }
    }

    /// Stops what still serves; all of it must end in order.
    pub(super) fn end(mut self) {
        for serving in std::mem::take(&mut self.serving) {
            assert_eq!(serving.terminate().code(), Some(0));
        }
    }

    fn perform(&mut self, line: &str, shown: &[String]) {
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "\\").collect();
        match words.as_slice() {
            ["buildly", "serve", ..] | ["buildly", "service", "run", ..] => return self.serve(&words),
            [_, program, port, ..] if program.ends_with(".py") && is_port(port) => {
                return self.serve_python(&words);
            }
            _ => {}
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
    fn serve(&mut self, words: &[&str]) {
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let listen = words.iter().position(|word| word == "--listen");
        let address = listen.map_or("127.0.0.1:8080".to_owned(), |place| words[place + 1].clone());
        match listen {
            Some(place) => words[place + 1] = "127.0.0.1:0".to_owned(),
            None => words.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]),
        }
        let program = std::mem::replace(&mut words[0], env!("CARGO_BIN_EXE_buildly").to_owned());
        assert_eq!(program, "buildly");
        self.begin(address, &words);
    }

    /// The same for a program in Python, whose first argument is its port.
    fn serve_python(&mut self, words: &[&str]) {
        let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let port = std::mem::replace(&mut words[2], "0".to_owned());
        self.begin(format!("127.0.0.1:{port}"), &words);
        self.killed.extend(self.serving.pop());
    }

    fn begin(&mut self, address: String, words: &[String]) {
        let mut command = Command::new(&words[0]);
        prepare(&mut command, self.storage, self.folder);
        command.args(words[1..].iter().map(|word| self.here(word))).stdout(Stdio::piped());
        let serving = Serving::of(command);
        self.addresses.insert(address, serving.url.trim_start_matches("http://").to_owned());
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

    /// With the addresses and names as they are here.
    fn here(&self, text: &str) -> String {
        self.addresses.iter().fold(text.to_owned(), |text, (there, here)| text.replace(there, here))
    }

    /// With the addresses and names of the page.
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

/// Gives a program the settings of the storage, the built programs, and the folder.
fn prepare(command: &mut Command, storage: &Storage, folder: &Path) {
    for (name, value) in storage.command(folder, &[]).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_buildly")).parent().unwrap();
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    command.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()));
    command.env("CHECKOUT", checkout).current_dir(folder);
}

fn is_port(word: &str) -> bool {
    word.parse::<u16>().is_ok()
}
