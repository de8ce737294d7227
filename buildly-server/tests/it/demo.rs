//! The demo as a new user runs it: a real process, real data, every step checked.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

use crate::harness::{PASSWORD, POSTGRES_URL, drop_schema};
use crate::process::{Folder, Serving, Storage, fail, finish, run_with_input, succeed};

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("buildly-demo-{}", uuid::Uuid::now_v7()))
}

/// Tells the story once; the steps, and how it ended.
async fn tell(folder: &Path, more: &[&str]) -> (Vec<Value>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_buildly"))
        .args(["demo", "--once", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder)
        .args(more)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = lines.pop().unwrap();
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
    let plan = steps.iter().find(|step| step["facts"]["calls"].is_u64()).unwrap();
    assert_eq!(plan["facts"]["calls to each service"], serde_json::json!({ "crm": 1, "documents": 1 }));
}

#[tokio::test]
async fn the_story_comes_out_and_a_second_start_goes_on_with_the_same_data() {
    let folder = folder();
    let (first, end) = tell(&folder, &[]).await;
    assert_told(&first, &end);
    assert_eq!(statuses(&first, "/coreuser/"), [201]);
    assert!(first.iter().any(|step| step["facts"]["join records"] == 412), "{first:?}");
    let (second, end) = tell(&folder, &[]).await;
    assert_told(&second, &end);
    assert_eq!(statuses(&second, "/coreuser/"), [400], "the organization is there already");
    assert!(second.iter().any(|step| step["facts"]["records"] == "already there"), "{second:?}");
    let (third, end) = tell(&folder, &["--reset"]).await;
    assert_told(&third, &end);
    assert_eq!(statuses(&third, "/coreuser/"), [201], "it starts over");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_same_story_is_told_on_postgresql() {
    let folder = folder();
    let schema = format!("demo_{}", uuid::Uuid::now_v7().simple());
    let setting = format!("database_schema={schema}");
    let (steps, end) = tell(&folder, &["--database-url", POSTGRES_URL, "--set", &setting]).await;
    for schema in [schema.clone(), format!("{schema}_crm"), format!("{schema}_documents")] {
        drop_schema(&schema).await;
    }
    assert_told(&steps, &end);
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn reset_deletes_nothing_that_the_demo_has_not_made() {
    let folder = folder();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("thesis.txt"), "years of work").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_buildly"))
        .args(["demo", "--once", "--reset", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&folder)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("was not made by `buildly demo`"));
    assert_eq!(std::fs::read_to_string(folder.join("thesis.txt")).unwrap(), "years of work");
    std::fs::remove_dir_all(folder).unwrap();
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
