//! The suite of workflow.

buildly_workflow::store_conformance!(crate::support::open_empty_store);

use std::sync::Arc;

use buildly_model::StoreError;
use buildly_storage_sqlite::Sqlite;
use buildly_unit::conformance::Commits;
use buildly_workflow::conformance::{ACME, LONG, NODE, OTHER_NODE, Subject};

use crate::support::Folder;

async fn open(folder: &Folder) -> (Arc<Sqlite>, Subject) {
    let storage = Arc::new(Sqlite::open(folder.path()).await.unwrap());
    let commits = Arc::new(Commits(storage.clone()));
    let subject = Subject {
        store: storage.clone(),
        work: storage.clone(),
        levels: storage.clone(),
        nodes: storage.clone(),
        commits,
    };
    (storage, subject)
}

/// However long the lease: nobody can hand in an answer that the process before has asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_end_with_the_process() {
    let folder = Folder::new();
    let (storage, subject) = open(&folder).await;
    subject.nodes.begin_lease(NODE).await.unwrap();
    subject.flood(1, ACME, 2).await;
    let before = subject.work.take_effects(NODE, 1, LONG).await.unwrap();
    storage.close().await;

    let (storage, subject) = open(&folder).await;
    subject.nodes.begin_lease(OTHER_NODE).await.unwrap();
    let after = subject.work.take_effects(OTHER_NODE, 10, LONG).await.unwrap();
    let epochs: Vec<u64> = after.iter().map(|leased| leased.epoch).collect();
    assert_eq!(epochs, [2, 1], "that one was taken before is known still");
    let late = subject.hand_in(1, before[0].id, before[0].epoch).await;
    assert!(matches!(late, Err(StoreError::Missing { .. })), "got {late:?}");
    subject.hand_in(1, after[0].id, after[0].epoch).await.unwrap();
    storage.close().await;
}
