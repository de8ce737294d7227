//! The demo as a new user runs it: a real process, real data, every step checked.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::client::Client;
use crate::harness::{PASSWORD, POSTGRES_URL, drop_schema};
use crate::process::{Folder, Serving, Storage, command, fail, finish, run_with_input, succeed};

/// Tells the story once; the steps, and how it ended.
async fn tell(folder: &Folder, more: &[&str]) -> (Vec<Value>, Value) {
    let arguments = [&["demo", "--once", "--json", "--listen", "127.0.0.1:0"], more].concat();
    let command = command(&folder.0, &arguments);
    let output = tokio::task::spawn_blocking(move || finish(command, "")).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = lines.pop().unwrap_or_default();
    assert!(output.status.success(), "{end}\n{}", String::from_utf8_lossy(&output.stderr));
    (lines, end)
}

fn statuses(steps: &[Value], path: &str) -> Vec<u64> {
    let of_path = steps.iter().filter(|step| step["path"].as_str().is_some_and(|other| other == path));
    of_path.map(|step| step["status"].as_u64().unwrap()).collect()
}

fn assert_told(steps: &[Value], end: &Value) {
    assert_eq!(end["is_good"], true);
    assert_eq!(statuses(steps, "/crm/contacts/?limit=3&join"), [200]);
    assert_eq!(statuses(steps, "/crm/contacts/"), [403]);
    assert_eq!(statuses(steps, "/crm/contacts/?limit=1"), [200, 403]);
    let plan = steps.iter().find(|step| step["facts"]["plan"].is_string()).unwrap();
    assert_eq!(
        plan["facts"]["calls to each service"],
        serde_json::json!({ "appointments": 1, "crm": 1, "documents": 1 })
    );
    let ended: Vec<&str> = steps
        .iter()
        .filter(|step| step["path"].as_str().is_some_and(|path| path.ends_with("/?wait=30")))
        .filter_map(|step| step["answer"]["status"].as_str())
        .collect();
    assert_eq!(ended, ["completed", "compensated"], "one process ends, one is undone");
    let killed = steps.iter().find(|step| step["facts"]["at work on"].is_array()).unwrap();
    assert_eq!(killed["facts"]["at work on"], serde_json::json!(["write_letter"]));
    let survived = steps.iter().find(|step| step["facts"]["calls"] == 1).unwrap();
    assert_eq!(survived["facts"]["run"], killed["facts"]["run"]);
    assert_eq!((&survived["facts"]["contacts"], &survived["facts"]["letters"]), (&1.into(), &1.into()));
    let checks: Vec<&Value> = steps.iter().filter(|step| step["facts"]["chains"].is_u64()).collect();
    let [whole, damaged] = checks[..] else { panic!("{checks:?}") };
    assert_eq!(whole["facts"]["broken"], 0);
    assert_eq!(damaged["facts"]["broken"], 1, "a copy of the whole journal with one changed byte");
    assert!(damaged["facts"]["first bad event"].is_u64(), "{damaged}");
    assert!(damaged["facts"]["what is wrong"].as_str().unwrap().contains("payload that was changed"));
}

#[tokio::test]
async fn the_story_comes_out_and_a_second_start_goes_on_with_the_same_data() {
    let folder = Folder::new();
    let (first, end) = tell(&folder, &[]).await;
    assert_told(&first, &end);
    assert_eq!(statuses(&first, "/coreuser/"), [201]);
    assert!(first.iter().any(|step| step["facts"]["join records"] == 412 + 59), "{first:?}");
    let (second, end) = tell(&folder, &[]).await;
    assert_told(&second, &end);
    assert_eq!(statuses(&second, "/coreuser/"), [400], "the organization is there already");
    assert!(second.iter().any(|step| step["facts"]["records"] == "already there"), "{second:?}");
    let (third, end) = tell(&folder, &["--reset"]).await;
    assert_told(&third, &end);
    assert_eq!(statuses(&third, "/coreuser/"), [201], "it starts over");
}

#[tokio::test]
async fn the_same_story_is_told_on_postgresql() {
    let folder = Folder::new();
    let schema = format!("d_{}", &uuid::Uuid::now_v7().simple().to_string()[4..]);
    let setting = format!("database_schema={schema}");
    let (steps, end) = tell(&folder, &["--database-url", POSTGRES_URL, "--set", &setting]).await;
    for node in ["", "_node"] {
        for suffix in ["", "_crm", "_documents", "_appointments"] {
            drop_schema(&format!("{schema}{node}{suffix}")).await;
        }
    }
    assert_told(&steps, &end);
}

#[tokio::test]
async fn reset_deletes_nothing_that_the_demo_has_not_made() {
    let folder = Folder::new();
    let thesis = folder.0.join("data/thesis.txt");
    std::fs::create_dir(folder.0.join("data")).unwrap();
    std::fs::write(&thesis, "years of work").unwrap();
    let reset = ["demo", "--once", "--reset", "--listen", "127.0.0.1:0"];
    let refused = fail(run_with_input(&folder.0, &reset, ""));
    assert!(refused.contains("was not made by `buildly demo`"), "{refused}");
    assert_eq!(std::fs::read_to_string(thesis).unwrap(), "years of work");
}

#[tokio::test]
async fn the_demo_keeps_off_what_others_have_made_and_what_is_in_use() {
    let folder = Folder::new();
    let arguments =
        ["admin", "create", "--username", "ada", "--email", "ada@example.org", "--organization", "Acme"];
    succeed(run_with_input(&folder.0, &arguments, PASSWORD));
    let demo = ["demo", "--once", "--quiet", "--listen", "127.0.0.1:0"];
    let refused = fail(run_with_input(&folder.0, &demo, ""));
    assert!(refused.contains("files that the demo has not made"), "{refused}");
    let reset = [&demo[..], &["--reset"]].concat();
    let refused = fail(run_with_input(&folder.0, &reset, ""));
    assert!(refused.contains("was not made by `buildly demo`"), "{refused}");

    std::fs::write(folder.0.join("data/made-by-demo"), "the demo's, as it were\n").unwrap();
    let server = Serving::start(&folder.0);
    let refused = fail(run_with_input(&folder.0, &reset, ""));
    assert!(refused.contains("nothing was deleted"), "{refused}");
    assert!(refused.contains(&format!("in use by process {}", server.process())), "{refused}");
    server.client().get("/health_check/").await.expect(200);
    let sign_in = serde_json::json!({"username": "ada", "password": PASSWORD});
    server.client().post("/token/", &sign_in).await.expect(200);
    assert_eq!(server.terminate().code(), Some(0));
}

#[tokio::test]
async fn the_demo_drops_no_schema_that_it_has_not_made() {
    let folder = Folder::new();
    let storage = Storage::postgres();
    storage.create_root(&folder.0);
    let elsewhere = Folder::new();
    for more in [&[][..], &["--reset"]] {
        let arguments = [&["demo", "--once", "--quiet", "--listen", "127.0.0.1:0"], more].concat();
        let refused = fail(finish(storage.command(&elsewhere.0, &arguments), ""));
        assert!(refused.contains("is in the database already"), "{refused}");
    }
    let root = storage.serve(&folder.0);
    let sign_in = serde_json::json!({"username": "root", "password": PASSWORD});
    root.client().post("/token/", &sign_in).await.expect(200);
    assert_eq!(root.terminate().code(), Some(0));
    storage.remove().await;
}

/// A demo that stays up; it is killed when it is dropped.
struct Staying {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Staying {
    fn start(folder: &Folder, more: &[&str]) -> Self {
        let arguments = [&["demo", "--listen", "127.0.0.1:0"], more].concat();
        let mut child = command(&folder.0, &arguments).stderr(Stdio::inherit()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The first line of which `wanted` gives something.
    fn find<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.lines.by_ref().find_map(|line| wanted(&line.unwrap())).expect("the line comes")
    }

    fn terminate(mut self) -> Option<i32> {
        let arguments = ["-TERM".to_owned(), self.child.id().to_string()];
        assert!(std::process::Command::new("kill").args(arguments).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _waited_already = self.child.wait();
    }
}

#[tokio::test]
async fn a_demo_that_stays_up_says_where_and_ends_in_order() {
    let folder = Folder::new();
    let mut staying = Staying::start(&folder, &["--json"]);
    let last: Value = staying
        .find(|line| serde_json::from_str::<Value>(line).ok().filter(|object| object["address"].is_string()));
    let client = Client::new(last["address"].as_str().unwrap().to_owned());
    for sign_in in last["sign_ins"].as_array().unwrap() {
        client.post("/token/", sign_in).await.expect(200);
    }
    assert_eq!(last["sign_ins"].as_array().unwrap().len(), 4);
    assert_eq!(last["try"].as_array().unwrap().len(), 3, "{last}");
    assert!(last["mail"].as_str().unwrap().ends_with("/data/mail"), "{last}");
    assert_eq!(staying.terminate(), Some(0));

    let mut staying = Staying::start(&folder, &["--quiet"]);
    let url = staying.find(|line| line.strip_prefix("listening on ").map(str::to_owned));
    let request =
        http::Request::get(format!("{url}/health_check/")).header("origin", "http://localhost:3000");
    let answer = client.request(request.body(buildly_model::Body::empty()).unwrap()).await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:3000");
    assert_eq!(staying.terminate(), Some(0));

    // What the demo decides otherwise gives way to what somebody sets.
    std::fs::write(folder.0.join("buildly.toml"), "[cors]\norigins = \"https://app.example.org\"\n").unwrap();
    let mut staying = Staying::start(&folder, &[]);
    let url = staying.find(|line| {
        let (url, _) = line.strip_prefix("The server stays up at ")?.split_once(". Its API")?;
        Some(url.to_owned())
    });
    staying.find(|line| line.starts_with("Mail that it sends is in ").then_some(()));
    let client = Client::new(url);
    for (origin, allowed) in
        [("https://app.example.org", "https://app.example.org"), ("http://localhost:3000", "")]
    {
        let request = http::Request::get(client.url("/health_check/")).header("origin", origin);
        let answer = client.request(request.body(buildly_model::Body::empty()).unwrap()).await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
    }
    assert_eq!(staying.terminate(), Some(0));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = fail(run_with_input(&folder.0, &["demo", "--once", "--listen", &address], ""));
    assert!(refused.contains("--listen"), "{refused}");
}
