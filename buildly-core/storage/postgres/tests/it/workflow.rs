//! The suite of workflow.

buildly_workflow::store_conformance!(crate::support::open_empty_store);

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use buildly_model::StoreError;
use buildly_storage_postgres::Postgres;
use buildly_unit::conformance::Commits;
use buildly_workflow::conformance::{ACME, LONG, NODE, OTHER_NODE, Subject};
use buildly_workflow::{EffectId, Leased};

use crate::support::{Schema, database_url};

const PATIENCE: Duration = Duration::from_secs(20);

async fn node(schema: &Schema) -> Subject {
    let storage = Arc::new(Postgres::connect_in(&database_url(), &schema.0).await.unwrap());
    let commits = Arc::new(Commits(storage.clone()));
    Subject {
        store: storage.clone(),
        work: storage.clone(),
        levels: storage.clone(),
        nodes: storage,
        commits,
    }
}

/// Takes until nothing has come for a while.
async fn take_all(node: Arc<Subject>, lease: buildly_journal::LeaseId) -> Vec<Leased> {
    let (mut all, mut empty) = (Vec::new(), 0);
    while empty < 5 {
        let taken = node.work.take_effects(lease, 16, LONG).await.unwrap();
        empty = if taken.is_empty() { empty + 1 } else { 0 };
        all.extend(taken);
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_a_flood_and_take_nothing_twice() {
    let schema = Schema::new();
    let nodes = [Arc::new(node(&schema).await), Arc::new(node(&schema).await)];
    nodes[0].flood(1, ACME, 500).await;
    let leases = [NODE, OTHER_NODE];
    let mut taking = Vec::new();
    for (node, lease) in nodes.iter().zip(leases) {
        node.nodes.begin_lease(lease).await.unwrap();
        taking.extend((0..3).map(|_| tokio::spawn(take_all(Arc::clone(node), lease))));
    }
    let mut all: Vec<EffectId> = Vec::new();
    for taken in taking {
        let taken = tokio::time::timeout(PATIENCE, taken).await.unwrap().unwrap();
        assert!(taken.iter().all(|leased| leased.epoch == 1), "nothing is taken twice");
        all.extend(taken.iter().map(|leased| leased.id));
    }
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (500, 500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_answer_for_one_effect_one_counts() {
    const ROUNDS: u64 = 40;
    let schema = Schema::new();
    let nodes = [Arc::new(node(&schema).await), Arc::new(node(&schema).await)];
    nodes[0].nodes.begin_lease(NODE).await.unwrap();
    nodes[0].flood(1, ACME, ROUNDS).await;
    let leased = take_all(Arc::clone(&nodes[0]), NODE).await;
    for (version, leased) in (1..).zip(&leased) {
        let (id, epoch) = (leased.id, leased.epoch);
        let answering = nodes.iter().map(|node| {
            let node = Arc::clone(node);
            tokio::spawn(async move { node.hand_in(version, id, epoch).await })
        });
        let mut won = 0;
        for answered in answering.collect::<Vec<_>>() {
            let outcome = tokio::time::timeout(PATIENCE, answered).await.unwrap().unwrap();
            won += u32::from(outcome.is_ok());
            let is_told = matches!(outcome, Ok(()) | Err(StoreError::Missing { .. }));
            assert!(is_told, "who is late need not decide again: {outcome:?}");
        }
        assert_eq!(won, 1, "round {version}");
    }
    assert_eq!(nodes[1].work.take_effects(NODE, 10, LONG).await.unwrap(), []);
}
