//! The program `buildly` as processes of their own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use crate::client::Client;

/// A folder that goes when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(format!("buildly-command-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_already = std::fs::remove_dir_all(&self.0);
    }
}

/// The program with these arguments and with its data below the folder, without the
/// settings of this process.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_buildly"));
    let settings = std::env::vars().filter(|(name, _)| name.starts_with("BUILDLY_"));
    for (name, _) in settings {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments).arg("--data-dir").arg(folder.join("data"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub fn finish(mut command: Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    finish(command(folder, arguments), input)
}

/// What it printed; it must have succeeded.
#[track_caller]
pub fn succeed(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it said on standard error; it must have failed.
#[track_caller]
pub fn fail(output: Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// A server as a process of its own; it is killed when it is dropped.
pub struct Serving {
    child: Child,
    pub url: String,
}

impl Serving {
    /// Starts one on a free port, and waits until it answers.
    pub fn start(folder: &Path) -> Self {
        Self::of(command(folder, &["serve", "--listen", "127.0.0.1:0"]))
    }

    /// Starts it by a command made for it.
    pub fn of(mut command: Command) -> Self {
        command.stderr(Stdio::inherit());
        Self::spawn(command)
    }

    /// As [`Serving::of`]; its log goes to a file.
    pub fn logging_to(mut command: Command, log: &Path) -> Self {
        command.stderr(std::fs::File::create(log).unwrap());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("the address is printed").to_owned();
        Self { child, url }
    }

    pub fn client(&self) -> Client {
        Client::new(self.url.clone())
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal: `STOP`, `CONT`, `KILL`.
    pub fn signal(&self, name: &str) {
        let arguments = [format!("-{name}"), self.process().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    /// Kills it without a warning, and waits until the system has taken it away.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it in an orderly way.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _waited_already = self.child.wait();
    }
}

/// Where the processes of a test keep what they know.
pub struct Storage {
    schema: Option<String>,
}

impl Storage {
    /// A file in the folder of each process.
    pub fn sqlite() -> Self {
        Self { schema: None }
    }

    /// One schema of the test database, for all of them.
    pub fn postgres() -> Self {
        Self { schema: Some(format!("process_{}", uuid::Uuid::now_v7().simple())) }
    }

    /// Whether several processes can use it at once.
    pub fn is_postgres(&self) -> bool {
        self.schema.is_some()
    }

    /// [`command`], over this storage.
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = command(folder, arguments);
        if let Some(schema) = &self.schema {
            command.env("BUILDLY_DATABASE_URL", crate::harness::POSTGRES_URL);
            command.env("BUILDLY_DATABASE_SCHEMA", schema);
            command.env("BUILDLY_DEPLOYMENT_KEY", "0f".repeat(32));
        }
        command
    }

    /// Starts a server over it that logs little and lists much.
    pub fn serve(&self, folder: &Path) -> Serving {
        let rows = "limits.list_rows_max=1_000_000";
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--set", rows];
        Serving::of(self.command(folder, &arguments))
    }

    /// Makes the superuser `root` of `Acme`, whose password is that of everybody.
    pub fn create_root(&self, folder: &Path) {
        let arguments = [
            "admin",
            "create",
            "--username",
            "root",
            "--email",
            "root@example.org",
            "--organization",
            "Acme",
            "--password-stdin",
        ];
        succeed(finish(self.command(folder, &arguments), crate::harness::PASSWORD));
    }

    /// Takes the schema away; what is in a folder goes with that.
    pub async fn remove(self) {
        if let Some(schema) = self.schema {
            crate::harness::drop_schema(&schema).await;
        }
    }
}
