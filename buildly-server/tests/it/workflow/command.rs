//! `buildly workflow`, as processes of their own beside a server, on both databases.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::ledger::Ledger;
use super::{create, register, until};
use crate::client::Client;
use crate::harness::PASSWORD;
use crate::process::{Folder, Serving, Storage, fail, finish, succeed};

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Place::on(crate::process::Storage::sqlite()).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Place::on(crate::process::Storage::postgres()).await).await;
            })*
        }
    };
}

on_both!(
    a_template_is_published_and_run,
    a_user_acts_with_own_rights_and_the_journal_says_who,
    a_run_that_waits_for_a_person_is_watched_to_its_end,
    a_run_that_fails_is_watched_to_its_end,
    a_signal_reaches_the_runs_of_a_business_key,
    a_level_that_needs_attention_is_retried,
    where_no_server_runs_nothing_is_lost,
);

/// A server, a service to call, a folder for files.
struct Place {
    storage: Storage,
    folder: Folder,
    ledger: Ledger,
    serving: Option<Serving>,
    root: Client,
}

impl Place {
    async fn on(storage: Storage) -> Self {
        let (folder, ledger) = (Folder::new(), Ledger::start().await);
        storage.create_root(&folder.0);
        let serving = storage.serve(&folder.0);
        let root = signed_in(&serving.client(), "root").await;
        register(&root, &ledger.url).await;
        Self { storage, folder, ledger, serving: Some(serving), root }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.storage.command(&self.folder.0, &[&["workflow"], arguments].concat())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        finish(self.command(arguments), "")
    }

    /// Publishes a template by the command.
    fn publish(&self, template: &Value) -> String {
        succeed(finish(self.command(&["publish", "-"]), &template.to_string()))
    }

    /// Starts a run by the command; its id.
    fn start(&self, template: &str, more: &[&str]) -> String {
        succeed(self.run(&[&["start", template], more].concat())).trim().to_owned()
    }

    async fn stop(mut self) {
        if let Some(serving) = self.serving.take() {
            assert_eq!(serving.terminate().code(), Some(0));
        }
        self.storage.remove().await;
    }
}

async fn signed_in(client: &Client, username: &str) -> Client {
    let sign_in = json!({"username": username, "password": PASSWORD});
    let token = client.post("/token/", &sign_in).await.expect(200).json()["access"].clone();
    client.signed_in(token.as_str().unwrap())
}

/// A group of root's organization whose members may look and start; its id.
async fn group(place: &Place, name: &str) -> Value {
    let me = place.root.get("/coreuser/me/").await.expect(200).json();
    let permissions = json!({"create": true, "read": true, "update": false, "delete": false});
    let organization = &me["organization"]["organization_uuid"];
    let group =
        json!({"name": name, "organization": organization, "is_org_level": true, "permissions": permissions});
    place.root.post("/coregroups/", &group).await.expect(201).json()["id"].clone()
}

/// Somebody of root's organization in that group.
async fn member(place: &Place, username: &str, group: &Value, is_active: bool) -> Value {
    let body = json!({
        "username": username, "email": format!("{username}@example.org"), "password": PASSWORD,
        "first_name": "Ann", "last_name": "Tester", "organization_name": "Acme",
    });
    let user = place.root.post("/coreuser/", &body).await.expect(201).json();
    let change = json!({"is_active": is_active, "core_groups": [group]});
    place.root.patch(&format!("/coreuser/{}/", user["id"]), &change).await.expect(200);
    user
}

fn emitting(name: &str, payload: &str) -> Value {
    // Only an engine ends the wait.
    let wait = json!({"name": "breathe", "do": {"wait": {"for": "1ms"}}});
    let say = json!({"name": "say", "do": {"emit": {"event": "said", "payload": payload}}});
    json!({"name": name, "levels": [wait, say]})
}

async fn a_template_is_published_and_run(place: Place) {
    std::fs::write(
        place.folder.0.join("greeting.yaml"),
        "name: greeting\ninput: {type: object, required: [name]}\nlevels:\n  \
         - {name: make, do: {call: {operation: ledger.create, body: '{\"name\": input.name}'}}}\n  \
         - {name: say, do: {emit: {event: said, payload: \"'Hello ' + levels.make.name\"}}}\n",
    )
    .unwrap();
    let said = succeed(place.run(&["publish", "greeting.yaml"]));
    assert_eq!(said, "version 1 of `greeting` is published\n");
    std::fs::write(place.folder.0.join("input.yaml"), "name: Ada\n").unwrap();
    let said = succeed(place.run(&["start", "greeting", "--input", "input.yaml", "--wait", "30"]));
    let (id, outcome) = said.split_once('\n').unwrap();
    assert_eq!(outcome, "completed: \"Hello Ada\"\n");
    let said = succeed(finish(
        place.command(&["start", "greeting", "--input", "-", "--wait", "30", "--json"]),
        "{\"name\": \"Bob\"}",
    ));
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["result"], "Hello Bob");
    let keyed = ["--input", "{\"name\": \"x\"}", "--key", "k1", "--business-key", "order-1"];
    let third = place.start("greeting", &keyed);
    assert_eq!(place.start("greeting", &keyed), third);
    until(&place.root, &third, "completed").await;

    let listed = succeed(place.run(&["list"]));
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert!(listed.starts_with(&third) && listed.lines().next().unwrap().ends_with("order-1"), "{listed}");
    let some =
        succeed(place.run(&["list", "--limit", "1", "--status", "completed", "--template", "greeting"]));
    assert!(some.starts_with(&third) && some.contains("there are more"), "{some}");
    let none: Value =
        serde_json::from_str(&succeed(place.run(&["list", "--status", "failed", "--json"]))).unwrap();
    assert_eq!(none, json!([]));
    let shown = succeed(place.run(&["show", id]));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], format!("completed: run {id} of greeting, version 1"));
    assert_eq!(lines[1], "greeting: workflow [completed]");
    assert_eq!(lines[2], "  make: calls ledger.create [completed]");
    assert_eq!(lines[4], "completed: \"Hello Ada\"");
    let history = succeed(place.run(&["show", id, "--history"]));
    for expected in
        ["run.started", "call.answered         make  done", "level.entered         say", "run.finished"]
    {
        assert!(history.contains(expected), "{expected} is not in\n{history}");
    }
    let run: Value = serde_json::from_str(&succeed(place.run(&["show", id, "--json"]))).unwrap();
    assert_eq!((&run["id"], &run["input"]), (&json!(id), &json!({"name": "Ada"})));

    let unsound = json!({"name": "bad", "levels": [
        {"name": "one", "do": {"call": {"operation": "ledger.nothing"}}},
        {"name": "two", "deadline": "1h", "do": {"task": {"group": "Nobody"}}},
    ]});
    let said = fail(finish(place.command(&["publish", "-"]), &unsound.to_string()));
    assert!(said.contains("one: there is no operation `ledger.nothing`; register the service"), "{said}");
    assert!(said.contains("two: there is no group `Nobody`; create it"), "{said}");
    let unknown = uuid::Uuid::now_v7().to_string();
    for (arguments, expected) in [
        (&["start", "bad"][..], "there is no published template `bad`"),
        (&["start", "greeting", "--version", "9"], "there is no published template `greeting`"),
        (&["start", "greeting", "--input", "{}"], "input"),
        (&["start", "greeting", "--input", "nowhere.yaml"], "expected JSON, a file or `-`"),
        (&["start", "greeting", "--input", "{"], "as JSON"),
        (&["publish", "nowhere.yaml"], "`nowhere.yaml`: cannot be read"),
        (&["show", &unknown], "there is no run"),
        (&["show", &unknown, "--history"], "there is no run"),
        (&["watch", &unknown], "there is no run"),
        (&["retry", &unknown, "a"], "there is no run"),
        (&["signal", "go", "--run", &unknown], "there is no run"),
        (&["show", "7"], "expected a UUID"),
        (&["list", "--status", "happy"], "`needs_attention`"),
        (&["list", "--limit", "0"], "1..=1000"),
        (&["signal", "go"], "--business-key"),
        (&["signal", "go", "--run", &unknown, "--business-key", "x"], "cannot be used with"),
        (&["signal", "go", "--business-key", "x"], "`x`"),
    ] {
        let said = fail(place.run(arguments)).to_lowercase();
        assert!(said.contains(&expected.to_lowercase()), "{arguments:?}: {said}");
    }
    place.stop().await;
}

async fn a_user_acts_with_own_rights_and_the_journal_says_who(place: Place) {
    let starters = group(&place, "Starters").await;
    let mary = member(&place, "mary", &starters, true).await;
    member(&place, "idle", &starters, false).await;
    place.publish(&emitting("hello", "'hi'"));
    let run = place.start("hello", &["--as", "mary", "--wait", "30"]);
    assert!(run.ends_with("completed: \"hi\""), "{run}");
    let events = place.root.get("/audit/events/?kind=workflow.run.requested").await.expect(200).json();
    let actor = format!("user:{}", mary["core_user_uuid"].as_str().unwrap());
    assert_eq!(events["results"][0]["actor"], actor, "{events}");
    let template = emitting("other", "1").to_string();
    let refused = fail(finish(place.command(&["publish", "-", "--as", "mary"]), &template));
    assert!(refused.contains("administ"), "{refused}");
    assert!(fail(place.run(&["list", "--as", "nobody"])).contains("There is no user `nobody`"));
    assert!(fail(place.run(&["list", "--as", "idle"])).contains("not active"));
    place.stop().await;
}

/// Watches a run as a process; its lines come as they are written.
fn watch(place: &Place, run: &str) -> (std::process::Child, BufReader<std::process::ChildStdout>) {
    let mut watching = place.command(&["watch", run]).spawn().unwrap();
    let lines = BufReader::new(watching.stdout.take().unwrap());
    (watching, lines)
}

/// What a terminal gets while a run is watched on it, and the exit code.
fn watch_on_a_terminal(place: &Place, run: &str) -> (String, Option<i32>) {
    let watch = place.command(&["watch", run]);
    let words = [watch.get_program()].into_iter().chain(watch.get_args());
    let line = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]).current_dir(&place.folder.0).env_remove("NO_COLOR");
    terminal.envs(watch.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = terminal.stdin(std::process::Stdio::null()).output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

async fn a_run_that_waits_for_a_person_is_watched_to_its_end(place: Place) {
    group(&place, "Managers").await;
    place.publish(&json!({"name": "approval", "levels": [
        {"name": "approve", "deadline": "1h", "do": {"task": {"group": "Managers"}}},
        create("act"),
        {"name": "end", "do": {"emit": {"event": "approved", "payload": "levels.approve.ok"}}},
    ]}));
    let run = place.start("approval", &[]);
    let (mut watching, mut lines) = watch(&place, &run);
    let mut seen = String::new();
    while !seen.contains("approve: live, a person has to do it, until ") {
        assert!(lines.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    let open = place.root.get(&format!("/workflow/tasks/?run={run}")).await.expect(200).json();
    let path = format!("/workflow/tasks/{}/complete/", open["results"][0]["id"].as_str().unwrap());
    place.root.post(&path, &json!({"data": {"ok": true}})).await.expect(200);
    tokio::task::block_in_place(|| lines.read_to_string(&mut seen).unwrap());
    assert_eq!(watching.wait().unwrap().code(), Some(0), "{seen}");
    for line in ["approve: completed\n", "act: completed\n", "end: completed\n", "approval: completed\n"] {
        assert!(seen.contains(line), "{line} is not in\n{seen}");
    }
    assert!(seen.ends_with("completed: true\n"), "{seen}");

    let (drawn, code) = watch_on_a_terminal(&place, &run);
    assert!(drawn.contains("\x1b[32m  approve: task for Managers [completed]"), "{drawn}");
    assert_eq!(code, Some(0), "of a run that has ended all is said at once");
    place.stop().await;
}

async fn a_run_that_fails_is_watched_to_its_end(place: Place) {
    let refused = json!({"name": "charge", "do": {"call": {"operation": "ledger.refuse", "body": "{}"}}});
    place.publish(&json!({"name": "doomed", "levels": [
        {"name": "pause", "do": {"wait": {"for": "1s"}}}, refused,
    ]}));
    let run = place.start("doomed", &[]);
    let (mut watching, mut lines) = watch(&place, &run);
    let mut seen = String::new();
    lines.read_to_string(&mut seen).unwrap();
    assert_eq!(watching.wait().unwrap().code(), Some(1), "{seen}");
    assert!(seen.contains(&format!(": run {run} of doomed, version 1\n")), "{seen}");
    assert!(seen.contains("pause: completed\n") && seen.contains("\nfailed: charge: "), "{seen}");
    let (drawn, code) = watch_on_a_terminal(&place, &place.start("doomed", &[]));
    assert_eq!(code, Some(1), "{drawn}");
    let again = "\x1b[4A\r\x1b[J";
    assert!(drawn.contains(again), "the tree is drawn in the place of the one before: {drawn:?}");
    let output = place.run(&["start", "doomed", "--wait", "30"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("failed: charge: "), "{output:?}");
    place.stop().await;
}

async fn a_signal_reaches_the_runs_of_a_business_key(place: Place) {
    place.publish(&json!({"name": "listening", "levels": [
        {"name": "listen", "deadline": "1h", "do": {"wait": {"signal": {"name": "go"}}}},
    ]}));
    let run = place.start("listening", &["--business-key", "order-7"]);
    let late = place.run(&["start", "listening", "--wait", "0"]);
    assert!(fail(late).contains("has not ended within 0 s, and goes on: `buildly workflow watch "));
    let go = ["signal", "go", "--business-key", "order-7", "--key", "one", "--payload", "{\"n\": 5}"];
    assert_eq!(succeed(place.run(&go)), format!("kept for {run}\n"));
    assert_eq!(until(&place.root, &run, "completed").await["result"], json!({"n": 5}));
    assert!(fail(place.run(&["signal", "go", "--run", &run])).contains("has ended"));
    assert!(fail(place.run(&go)).contains("order-7"));
    place.stop().await;
}

async fn a_level_that_needs_attention_is_retried(place: Place) {
    place.ledger.break_after("a", 1);
    let level = json!({"name": "a", "do": {"call": {"operation": "ledger.create", "body": "{'name': 'a'}"}}});
    let good = json!({"name": "good", "do": {"emit": {"event": "x"}}});
    place.publish(&json!({"name": "careful", "unhandled": "attention", "levels": [good, level]}));
    let run = place.start("careful", &[]);
    until(&place.root, &run, "needs_attention").await;
    let shown = succeed(place.run(&["show", &run]));
    assert!(shown.contains("  a: calls ledger.create [needs attention, "), "{shown}");
    assert!(shown.ends_with("needs attention\n"), "{shown}");
    for (level, expected) in [
        ("b", "There is no level `b` in version 1 of `careful`"),
        ("good", "`good` does not need attention; these do: `a`"),
        ("a", "waive"),
        ("99", "`99` does not need attention"),
    ] {
        let said = fail(place.run(&["retry", &run, level]));
        assert!(said.contains(expected), "{level}: {said}");
    }
    let said = succeed(place.run(&["retry", &run, "a", "--waive"]));
    assert_eq!(said, "`a` is done anew\n");
    until(&place.root, &run, "completed").await;
    assert!(fail(place.run(&["retry", &run, "a", "--waive"])).contains("no level of this run does"));

    let one = json!({"name": "one", "do": {"call": {"operation": "ledger.refuse", "body": "{}"}}});
    let each = json!({"name": "each", "do": {"for_each": {"items": "[1, 2]", "at_once": 2, "level": one}}});
    place.publish(&json!({"name": "many", "unhandled": "attention", "levels": [each]}));
    let run = place.start("many", &[]);
    while !succeed(place.run(&["show", &run])).contains("one: calls ledger.refuse [needs attention, number ")
    {
    }
    let said = fail(place.run(&["retry", &run, "one"]));
    let (case, numbers) = said.split_once(" by its number, ").unwrap();
    assert!(case.contains("`one` needs attention 2 times"), "{said}");
    let number = numbers.split_once(',').unwrap().0;
    let done = succeed(place.run(&["retry", &run, number]));
    assert_eq!(done, format!("`{number}` is done anew\n"));
    place.stop().await;
}

async fn where_no_server_runs_nothing_is_lost(mut place: Place) {
    place.publish(&emitting("hello", "'hi'"));
    let is_postgres = place.storage.is_postgres();
    if is_postgres {
        // Beside the server, on the same database, from a folder of its own.
        let elsewhere = Folder::new();
        let start = ["workflow", "start", "hello", "--wait", "30"];
        let said = succeed(finish(place.storage.command(&elsewhere.0, &start), ""));
        assert!(said.ends_with("completed: \"hi\"\n"), "{said}");
    }
    assert_eq!(place.serving.take().unwrap().terminate().code(), Some(0));
    let run = place.start("hello", &[]);
    place.publish(&emitting("hello", "'ho'"));
    assert!(succeed(place.run(&["list", "--status", "running"])).starts_with(&run));
    assert!(
        succeed(place.run(&["show", &run])).starts_with(&format!("running: run {run} of hello, version 1\n"))
    );
    if !is_postgres {
        for arguments in [&["watch", &run][..], &["start", "hello", "--wait", "5"]] {
            let said = fail(place.run(arguments));
            assert!(said.contains("no server runs on `") && said.contains("buildly serve"), "{said}");
        }
    }
    let serving = place.storage.serve(&place.folder.0);
    place.root = signed_in(&serving.client(), "root").await;
    place.serving = Some(serving);
    assert_eq!(until(&place.root, &run, "completed").await["result"], "hi");
    place.stop().await;
}

#[test]
fn where_nothing_is_nothing_is_made() {
    for arguments in [&["list"][..], &["start", "x"], &["signal", "go", "--business-key", "x"]] {
        let folder = Folder::new();
        let said =
            fail(finish(Storage::sqlite().command(&folder.0, &[&["workflow"], arguments].concat()), ""));
        assert!(said.contains("there is no data in `"), "{arguments:?}: {said}");
        assert!(!folder.0.join("data").exists(), "{arguments:?}");
    }
}
