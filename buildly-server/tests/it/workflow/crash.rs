//! A server that is killed while many runs are under way: every run ends all the same, and what a
//! service was asked to do is done once by key. `BUILDLY_CRASH_ROUNDS` sets how often it is killed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::ledger::Ledger;
use super::{create, hire_janitor, publish, register, undo};
use crate::client::Client;
use crate::harness::PASSWORD;
use crate::process::{Folder, Storage};

/// So many runs complete, and as many are undone.
const RUNS: usize = 100;

fn rounds(usual: u32) -> u32 {
    std::env::var("BUILDLY_CRASH_ROUNDS").map_or(usual, |rounds| rounds.parse().expect("a number of rounds"))
}

/// Entries named by the run's input, so that each is told apart.
fn named(name: &str) -> [Value; 2] {
    let mut level = create(name);
    level["do"]["call"]["body"] = json!(format!("{{'name': input.n + '-{name}', 'pause_ms': 30}}"));
    level["retry"] = json!({"attempts": 20, "pause": "100ms"});
    let mut back = undo(name);
    back["retry"] = json!({"attempts": 20, "pause": "100ms"});
    [level, back]
}

async fn survives(storage: Storage, rounds: u32) {
    let (folder, ledger) = (Folder::new(), Ledger::start().await);
    storage.create_root(&folder.0);
    let mut server = storage.serve(&folder.0);
    let sign_in = json!({"username": "root", "password": PASSWORD});
    let token = server.client().post("/token/", &sign_in).await.expect(200).json()["access"].clone();
    let token = token.as_str().unwrap();
    let root = server.client().signed_in(token);
    register(&root, &ledger.url).await;
    hire_janitor(&root).await;
    let mut levels: Vec<Value> = ["a", "b", "c"].into_iter().flat_map(named).collect();
    levels.insert(2, json!({"name": "pause", "do": {"wait": {"for": "500ms"}}}));
    publish(&root, &json!({"name": "good", "levels": levels})).await;
    levels.push(json!({"name": "last", "do": {"call": {"operation": "ledger.refuse", "body": "{}"}}}));
    publish(&root, &json!({"name": "doomed", "levels": levels})).await;

    let mut expected = BTreeMap::new();
    for number in 0..RUNS {
        for (template, status) in [("good", "completed"), ("doomed", "compensated")] {
            let body = json!({"template": template, "input": {"n": format!("{template}{number}")}});
            let run = root.post("/workflow/runs/", &body).await.expect(201).json();
            expected.insert(run["id"].as_str().unwrap().to_owned(), status);
        }
    }
    for _ in 0..rounds {
        let random = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
        // Real time, since the other process has no other.
        tokio::time::sleep(Duration::from_millis(random * 3)).await;
        server.kill();
        server = storage.serve(&folder.0);
    }
    let root = server.client().signed_in(token);
    wait_for_all(&root, &expected).await;
    check(&ledger);
    assert_eq!(server.terminate().code(), Some(0));
    storage.remove().await;
}

async fn wait_for_all(root: &Client, expected: &BTreeMap<String, &str>) {
    let mut left = expected.clone();
    for _ in 0..600 {
        for page in ["completed", "compensated", "failed", "needs_attention"] {
            let path = format!("/workflow/runs/?limit=1000&status={page}");
            for run in root.get(&path).await.expect(200).json()["results"].as_array().unwrap() {
                if let Some(status) = left.remove(run["id"].as_str().unwrap()) {
                    assert_eq!(run["status"], status, "{run}");
                }
            }
        }
        if left.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let run = left.keys().next().unwrap();
    let stuck = root.get(&format!("/workflow/runs/{run}/")).await.text();
    panic!("{} of {} runs have not ended, such as {stuck}", left.len(), expected.len());
}

/// Every entry of a good run is there once; every one of a doomed run is there once and gone once.
fn check(ledger: &Ledger) {
    let mut counted: BTreeMap<(String, String), usize> = BTreeMap::new();
    for done in ledger.done() {
        *counted.entry((done.what, done.name)).or_default() += 1;
    }
    let times =
        |what: &str, name: &str| counted.get(&(what.to_owned(), name.to_owned())).copied().unwrap_or(0);
    for number in 0..RUNS {
        for level in ["a", "b", "c"] {
            let good = format!("good{number}-{level}");
            assert_eq!((times("create", &good), times("remove", &good)), (1, 0), "{good}");
            let doomed = format!("doomed{number}-{level}");
            assert_eq!((times("create", &doomed), times("remove", &doomed)), (1, 1), "{doomed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_every_run_ends_and_every_effect_is_there_once() {
    survives(Storage::sqlite(), rounds(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_every_run_ends_and_every_effect_is_there_once() {
    survives(Storage::postgres(), rounds(3)).await;
}
