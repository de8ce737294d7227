//! The commands, as processes of their own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::client::Client;
use crate::harness::PASSWORD;

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
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

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_buildly"));
    let settings = std::env::vars().filter(|(name, _)| name.starts_with("BUILDLY_"));
    for (name, _) in settings {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments).arg("--data-dir").arg(folder.join("data"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = command(folder, arguments).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn succeed(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fail(output: Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn serve(folder: &Path) -> (Child, String) {
    let mut child =
        command(folder, &["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::inherit()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").expect("the address is printed").to_owned();
    (child, url)
}

fn terminate(mut child: Child) -> std::process::ExitStatus {
    Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    child.wait().unwrap()
}

#[tokio::test]
async fn the_same_commands_work_while_a_server_runs_and_while_none_does() {
    let folder = Folder::new();
    let create = |username: &str| {
        let email = format!("{username}@example.org");
        let arguments = [
            "admin",
            "create",
            "--username",
            username,
            "--email",
            &email,
            "--organization",
            "Acme",
            "--password-stdin",
        ];
        run_with_input(&folder.0, &arguments, &format!("{PASSWORD}\r\n"))
    };
    assert_eq!(succeed(create("ada")), "superuser `ada` made\n");
    assert!(fail(create("ada")).contains("username"));
    assert!(succeed(run_with_input(&folder.0, &["status"], "")).starts_with("no server runs"));

    let (child, url) = serve(&folder.0);
    Client::new(url).get("/health_check/").await.expect(200);
    assert_eq!(succeed(create("bob")), "superuser `bob` made\n");
    let status: Value =
        serde_json::from_str(&succeed(run_with_input(&folder.0, &["status", "--json"], ""))).unwrap();
    assert_eq!((&status["running"], &status["process"]), (&Value::Bool(true), &Value::from(child.id())));
    let verified: Value =
        serde_json::from_str(&succeed(run_with_input(&folder.0, &["audit", "verify", "--json"], "")))
            .unwrap();
    assert!(verified["events"].as_u64().unwrap() >= 4, "{verified}");
    let backup = folder.0.join("copy.db");
    succeed(run_with_input(&folder.0, &["backup", "copy.db"], ""));
    assert!(backup.metadata().unwrap().len() > 0);
    assert!(fail(run_with_input(&folder.0, &["backup", "copy.db"], "")).contains("exists already"));
    let reset = ["user", "reset-password", "nobody", "--password-stdin"];
    assert!(fail(run_with_input(&folder.0, &reset, "Another-horse-9\n")).contains("There is no such user"));
    let reset = ["user", "reset-password", "bob", "--password-stdin"];
    succeed(run_with_input(&folder.0, &reset, "Another-horse-9\n"));
    assert_eq!(terminate(child).code(), Some(0));
    assert!(!folder.0.join("data/buildly.sock").exists(), "the socket goes with the server");
    assert!(succeed(run_with_input(&folder.0, &["status"], "")).starts_with("no server runs"));
}

#[test]
fn a_second_server_on_the_folder_and_a_taken_port_are_refused_in_words() {
    let folder = Folder::new();
    let (child, url) = serve(&folder.0);
    let second = fail(run_with_input(&folder.0, &["serve", "--listen", "127.0.0.1:0"], ""));
    assert!(second.starts_with("error: "), "{second}");
    let elsewhere = Folder::new();
    let address = url.trim_start_matches("http://");
    let taken = fail(run_with_input(&elsewhere.0, &["serve", "--listen", address], ""));
    assert!(taken.contains("--listen"), "{taken}");
    assert_eq!(terminate(child).code(), Some(0));
}

#[test]
fn settings_are_shown_with_their_source_and_wrong_ones_refused() {
    let folder = Folder::new();
    std::fs::write(folder.0.join("buildly.toml"), "[smtp]\npassword = \"hunter2\"\n").unwrap();
    let shown = succeed(run_with_input(&folder.0, &["config", "show", "--set", "log.level=debug"], ""));
    assert!(!shown.contains("hunter2") && shown.contains("[hidden]"), "{shown}");
    let level = shown.lines().find(|line| line.starts_with("log.level")).unwrap();
    assert!(level.contains("debug") && level.ends_with("--set"), "{level}");
    let refused = fail(command(&folder.0, &["config", "show"]).env("BUILDLY_LISTN", "x").output().unwrap());
    assert!(refused.contains("did you mean `BUILDLY_LISTEN`?"), "{refused}");
}

#[test]
fn the_document_is_printed_and_every_command_explains_itself() {
    let folder = Folder::new();
    let document: Value =
        serde_json::from_str(&succeed(run_with_input(&folder.0, &["openapi"], ""))).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    for command in
        [&["serve"][..], &["admin", "create"], &["user", "reset-password"], &["audit", "verify"], &["backup"]]
    {
        let arguments = [command, &["--help"]].concat();
        let help = succeed(run_with_input(&folder.0, &arguments, ""));
        assert!(help.contains("Examples:"), "{help}");
    }
}
