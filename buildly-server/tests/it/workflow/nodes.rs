//! Two processes over one PostgreSQL schema work for the same runs.

use std::time::Duration;

use serde_json::{Value, json};

use super::ledger::Ledger;
use super::{create, publish, register, until};
use crate::harness::PASSWORD;
use crate::process::{Folder, Storage};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_slept_past_its_lease_commits_nothing_of_what_others_took() {
    let (storage, folders) = (Storage::postgres(), [Folder::new(), Folder::new()]);
    let ledger = Ledger::start().await;
    storage.create_root(&folders[0].0);
    let (first, second) = (storage.serve(&folders[0].0), storage.serve(&folders[1].0));
    let sign_in = json!({"username": "root", "password": PASSWORD});
    let token = first.client().post("/token/", &sign_in).await.expect(200).json()["access"].clone();
    let a = first.client().signed_in(token.as_str().unwrap());
    register(&a, &ledger.url).await;
    let mut levels: Vec<Value> = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let mut level = create(name);
        level["do"]["call"]["body"] = json!(format!("{{'name': input.n + '{name}', 'pause_ms': 100}}"));
        levels.push(level);
    }
    publish(&a, &json!({"name": "shared", "levels": levels})).await;
    let mut runs = Vec::new();
    for number in 0..20 {
        let body = json!({"template": "shared", "input": {"n": number.to_string()}});
        runs.push(a.post("/workflow/runs/", &body).await.expect(201).json()["id"].clone());
    }
    // Real time: the sleeper holds effects, its lease of two seconds runs out, others take them.
    tokio::time::sleep(Duration::from_millis(150)).await;
    second.signal("STOP");
    for run in &runs {
        let ended = until(&a, run.as_str().unwrap(), "completed").await;
        assert_eq!(ended["status"], "completed");
    }
    second.signal("CONT");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let done = ledger.done();
    assert_eq!(done.len(), 80, "one key a level and run, whoever asked");
    for run in &runs {
        let ended = a.get(&format!("/workflow/runs/{}/", run.as_str().unwrap())).await.expect(200).json();
        assert_eq!(ended["status"], "completed");
    }
    // The sleeper works again.
    let b = second.client().signed_in(token.as_str().unwrap());
    let body = json!({"template": "shared", "input": {"n": "late"}});
    let mut started = b.post("/workflow/runs/?wait=30", &body).await;
    for _ in 0..100 {
        if started.status != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        started = b.post("/workflow/runs/?wait=30", &body).await;
    }
    assert_eq!(started.expect(201).json()["status"], "completed");
    assert_eq!(first.terminate().code(), Some(0));
    assert_eq!(second.terminate().code(), Some(0));
    drop(folders);
    storage.remove().await;
}
