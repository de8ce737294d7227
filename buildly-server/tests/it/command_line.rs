//! The commands, as processes of their own.

use std::io::{Read as _, Write as _};

use serde_json::Value;

use crate::harness::PASSWORD;
use crate::process::{Folder, Serving, command, fail, run_with_input, succeed};

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

    let server = Serving::start(&folder.0);
    server.client().get("/health_check/").await.expect(200);
    assert_eq!(succeed(create("bob")), "superuser `bob` made\n");
    let status: Value =
        serde_json::from_str(&succeed(run_with_input(&folder.0, &["status", "--json"], ""))).unwrap();
    assert_eq!(
        (&status["running"], &status["process"]),
        (&Value::Bool(true), &Value::from(server.process()))
    );
    let verified: Value =
        serde_json::from_str(&succeed(run_with_input(&folder.0, &["audit", "verify", "--json"], "")))
            .unwrap();
    assert!(verified["events"].as_u64().unwrap() >= 4, "{verified}");
    let register = ["service", "register", "shop", "http://127.0.0.1:9"];
    assert!(succeed(run_with_input(&folder.0, &register, "")).starts_with("service `shop` registered"));
    assert!(fail(run_with_input(&folder.0, &register, "")).contains("unique"));
    assert_eq!(succeed(run_with_input(&folder.0, &["service", "list"], "")), "shop  http://127.0.0.1:9\n");
    succeed(run_with_input(&folder.0, &["service", "remove", "shop"], ""));
    assert!(fail(run_with_input(&folder.0, &["service", "remove", "shop"], "")).contains("shop"));
    let backup = folder.0.join("copy.db");
    succeed(run_with_input(&folder.0, &["backup", "copy.db"], ""));
    assert!(backup.metadata().unwrap().len() > 0);
    assert!(fail(run_with_input(&folder.0, &["backup", "copy.db"], "")).contains("exists already"));
    let reset = ["user", "reset-password", "nobody", "--password-stdin"];
    assert!(fail(run_with_input(&folder.0, &reset, "Another-horse-9\n")).contains("There is no such user"));
    let reset = ["user", "reset-password", "bob", "--password-stdin"];
    succeed(run_with_input(&folder.0, &reset, "Another-horse-9\n"));
    assert_eq!(server.terminate().code(), Some(0));
    assert!(!folder.0.join("data/buildly.sock").exists(), "the socket goes with the server");
    assert!(succeed(run_with_input(&folder.0, &["status"], "")).starts_with("no server runs"));
}

#[test]
fn a_second_server_on_the_folder_and_a_taken_port_are_refused_in_words() {
    let folder = Folder::new();
    let server = Serving::start(&folder.0);
    let second = fail(run_with_input(&folder.0, &["serve", "--listen", "127.0.0.1:0"], ""));
    assert!(second.starts_with("error: "), "{second}");
    assert!(second.contains(&format!("is in use by process {}", server.process())), "{second}");
    let elsewhere = Folder::new();
    let address = server.url.trim_start_matches("http://");
    let taken = fail(run_with_input(&elsewhere.0, &["serve", "--listen", address], ""));
    assert!(taken.contains("--listen"), "{taken}");
    assert_eq!(server.terminate().code(), Some(0));
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
    let commands = commands(&folder.0, &[]);
    assert!(commands.len() >= 15, "{commands:?}");
    for command in commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = succeed(run_with_input(&folder.0, &arguments, ""));
        assert!(help.contains("Examples:\n  "), "{command:?}: {help}");
        for flag in ["--config", "--data-dir", "--database-url"] {
            assert!(help.contains(flag), "{command:?}: {flag}");
        }
    }
}

#[tokio::test]
async fn only_the_folders_socket_serves_commands_and_it_serves_nothing_else() {
    let folder = Folder::new();
    let server = Serving::start(&folder.0);
    let task = serde_json::json!({
        "task": "create_admin", "username": "eve", "email": "eve@example.org", "organization": "Acme",
        "password": PASSWORD,
    });
    for path in ["/local/", "/local", "//local/"] {
        let answer = server.client().post(path, &task).await;
        assert!(matches!(answer.status.as_u16(), 400..=404), "{path}: {}", answer.text());
    }
    let sign_in = serde_json::json!({"username": "eve", "password": PASSWORD});
    server.client().post("/token/", &sign_in).await.expect(401);
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 404"),
        ("GET /coreuser/me/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 404"),
        ("GET /local/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 405"),
    ] {
        let mut socket = std::os::unix::net::UnixStream::connect(folder.0.join("data/buildly.sock")).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(status), "{request}: {answer}");
    }
    assert_eq!(server.terminate().code(), Some(0));
}

/// All commands below one, as its help lists them; those that have none below them.
fn commands(folder: &std::path::Path, of: &[String]) -> Vec<Vec<String>> {
    let arguments: Vec<&str> = of.iter().map(String::as_str).chain(["--help"]).collect();
    let help = succeed(run_with_input(folder, &arguments, ""));
    let Some((_, listed)) = help.split_once("\nCommands:\n") else { return vec![of.to_vec()] };
    let listed = listed.lines().take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
    let below = names.filter(|name| *name != "help");
    below.flat_map(|name| commands(folder, &[of, &[name.to_owned()]].concat())).collect()
}

#[tokio::test]
async fn a_service_runs_as_a_process_by_flags_file_or_environment() {
    let folder = Folder::new();
    let missing = fail(run_with_input(&folder.0, &["service", "run", "crm"], ""));
    assert!(missing.contains("--jwks") && missing.contains("BUILDLY_SERVICE_JWKS"), "{missing}");
    let create =
        ["admin", "create", "--username", "ada", "--email", "ada@example.org", "--organization", "Acme"];
    succeed(run_with_input(&folder.0, &create, PASSWORD));
    let server = Serving::start(&folder.0);
    let jwks = format!("{}/.well-known/jwks.json", server.url);
    let toml = format!("[service]\njwks = \"{jwks}\"\nissuer = \"https://elsewhere.example\"\n");
    std::fs::write(folder.0.join("buildly.toml"), toml).unwrap();
    let run = |more: &[&str]| {
        let mut run = command(&folder.0, &[&["service", "run", "crm"], more].concat());
        run.env("BUILDLY_SERVICE_LISTEN", "127.0.0.1:0");
        Serving::of(run)
    };
    let sign_in = serde_json::json!({"username": "ada", "password": PASSWORD});
    let tokens = server.client().post("/token/", &sign_in).await.expect(200).json();
    let token = tokens["access"].as_str().unwrap();

    let strict = run(&[]);
    strict.client().signed_in(token).get("/contacts/").await.expect(401);
    assert_eq!(strict.terminate().code(), Some(0));
    let service = run(&["--issuer", &server.url]);
    service.client().get("/contacts/").await.expect(401);
    service.client().signed_in(token).get("/contacts/").await.expect(200);
    succeed(run_with_input(&folder.0, &["service", "register", "crm", &service.url], ""));
    server.client().signed_in(token).get("/crm/contacts/").await.expect(200);
    assert_eq!(service.terminate().code(), Some(0));
    assert_eq!(server.terminate().code(), Some(0));
}

#[tokio::test]
async fn a_database_is_migrated_once_and_a_newer_one_is_refused() {
    let folder = Folder::new();
    for _ in 0..2 {
        let said = succeed(run_with_input(&folder.0, &["migrate"], ""));
        assert!(said.starts_with("the database has the schema of buildly "), "{said}");
    }
    let newer = "INSERT INTO schema_migration (number, name, applied_at) VALUES (9999, 'later', 0)";
    rusqlite::Connection::open(folder.0.join("data/core.db")).unwrap().execute(newer, []).unwrap();
    for arguments in
        [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"], &["status"], &["audit", "verify"]]
    {
        let refused = fail(run_with_input(&folder.0, arguments, ""));
        assert!(refused.contains("migration 9999 (later)"), "{arguments:?}: {refused}");
    }
}

#[tokio::test]
async fn log_lines_for_machines_are_objects_without_secrets() {
    let folder = Folder::new();
    let create =
        ["admin", "create", "--username", "ada", "--email", "ada@example.org", "--organization", "Acme"];
    succeed(run_with_input(&folder.0, &create, PASSWORD));
    let log = folder.0.join("log");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "debug"];
    let server = Serving::logging_to(command(&folder.0, &arguments), &log);
    let sign_in = serde_json::json!({"username": "ada", "password": PASSWORD});
    let tokens = server.client().post("/token/", &sign_in).await.expect(200).json();
    assert_eq!(server.terminate().code(), Some(0));
    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = lines.iter().find(|line| line["message"] == "answered").unwrap();
    assert_eq!((&answered["route"], &answered["status"]), (&"/token/".into(), &200.into()), "{answered}");
    for secret in [PASSWORD, tokens["access"].as_str().unwrap(), tokens["refresh"].as_str().unwrap()] {
        assert!(!text.contains(secret), "a secret is in the log");
    }
}
