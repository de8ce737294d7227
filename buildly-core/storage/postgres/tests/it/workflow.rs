//! The suite of workflow.

buildly_workflow::store_conformance!(crate::support::open_empty_store);

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use buildly_journal::{Chain, History as _};
use buildly_model::{RunId, StoreError};
use buildly_storage_postgres::Postgres;
use buildly_unit::conformance::Commits;
use buildly_workflow::conformance::{ACME, LONG, NODE, OTHER_NODE, Subject};
use buildly_workflow::{EffectId, Leased};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

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

/// The chain of ACME holds from its beginning; how many events it has.
async fn verified(schema: &Schema) -> u64 {
    let storage = Postgres::connect_in(&database_url(), &schema.0).await.unwrap();
    let mut chain = Chain::empty(Some(ACME));
    for event in storage.events(Some(ACME), 0, 10_000).await.unwrap() {
        chain.verify(&event).unwrap();
    }
    assert_eq!(storage.head(Some(ACME)).await.unwrap(), chain);
    chain.sequence
}

async fn version_of(node: &Subject, number: u128) -> u64 {
    let run = RunId::from_uuid(Uuid::from_u128(number));
    node.store.find_run(ACME, run).await.unwrap().unwrap().version
}

/// Each thinks that it knows where the chain ends, and is wrong whenever the other was faster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_of_two_nodes_stand_in_one_chain() {
    const RUNS: u128 = 16;
    const STEPS: u64 = 20;
    let schema = Schema::new();
    let nodes = [Arc::new(node(&schema).await), Arc::new(node(&schema).await)];
    let mut stepping = Vec::new();
    for number in 1..=RUNS {
        nodes[0].flood(number, ACME, 0).await;
        let node = Arc::clone(&nodes[usize::from(number % 2 == 0)]);
        stepping.push(tokio::spawn(async move {
            for version in 1..=STEPS {
                // Some states fill a statement by themselves.
                let bytes = if version % 5 == 0 { 20_000 } else { 2_000 };
                node.step_and_tell(number, version, bytes).await.unwrap();
            }
        }));
    }
    for stepped in stepping {
        tokio::time::timeout(PATIENCE, stepped).await.unwrap().unwrap();
    }
    assert_eq!(verified(&schema).await, u64::try_from(RUNS).unwrap() * STEPS);
    for number in 1..=RUNS {
        assert_eq!(version_of(&nodes[1], number).await, STEPS + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_step_keeps_back_none_of_those_beside_it() {
    const RUNS: u128 = 20;
    let schema = Schema::new();
    let node = Arc::new(node(&schema).await);
    for number in 1..=RUNS {
        node.flood(number, ACME, 0).await;
    }
    node.step_and_tell(1, 1, 10).await.unwrap();
    for round in 0..10 {
        let stepping = (1..=RUNS).map(|number| {
            let node = Arc::clone(&node);
            // Every fifth is of a version that was long ago.
            let version = if number % 5 == 0 { 0 } else { 1 + round + u64::from(number == 1) };
            tokio::spawn(async move { node.step_and_tell(number, version, 500).await })
        });
        for (number, stepped) in (1..=RUNS).zip(stepping.collect::<Vec<_>>()) {
            let outcome = tokio::time::timeout(PATIENCE, stepped).await.unwrap().unwrap();
            let is_stale = matches!(outcome, Err(StoreError::Stale));
            assert_eq!(is_stale, number % 5 == 0, "run {number} in round {round}: {outcome:?}");
            assert!(is_stale || outcome.is_ok(), "run {number} in round {round}: {outcome:?}");
        }
    }
    assert_eq!(verified(&schema).await, 1 + 16 * 10);
}

/// Whether the last statement of one of the schema's connections wrote steps by itself.
async fn has_written_alone(schema: &Schema) -> bool {
    let mut connection = PgConnection::connect(&database_url()).await.unwrap();
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
               WHERE application_name = $1 AND state = 'idle' AND ltrim(query, E' \\n') LIKE 'WITH step AS%')";
    let asked = sqlx::query_scalar(sql).bind(format!("buildly {}", schema.0));
    asked.fetch_one(&mut connection).await.unwrap()
}

/// Else the other tests would show nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_soon_after_another_is_one_statement() {
    let schema = Schema::new();
    let node = node(&schema).await;
    node.flood(1, ACME, 0).await;
    // A transaction ends with `COMMIT`. On a slow machine the one before may be too long ago.
    for version in 1..200 {
        node.step_and_tell(1, version, 10).await.unwrap();
        if has_written_alone(&schema).await {
            assert_eq!(verified(&schema).await, version);
            return;
        }
    }
    panic!("no step was written by itself");
}
