//! Several nodes on one database.

use std::sync::Arc;
use std::time::Duration;

use buildly_journal::{Chain, Feed as _, FeedPosition, History as _, LeaseId, Nodes as _, Part, SeenLease};
use buildly_model::{OrganizationId, Revision, StoreError};
use buildly_storage_postgres::Postgres;
use buildly_unit::conformance::{event, organization};
use buildly_unit::{Committer as _, Unit};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{Schema, database_url};

const PATIENCE: Duration = Duration::from_secs(20);
const NODES: usize = 3;
const UNITS: usize = 40;

async fn nodes(schema: &Schema) -> Vec<Arc<Postgres>> {
    // At once, as they start in practice: one of them migrates, the others wait.
    let starting: Vec<_> = (0..NODES)
        .map(|_| {
            let schema = schema.0.clone();
            tokio::spawn(async move { Postgres::connect_in(&database_url(), &schema).await })
        })
        .collect();
    let mut nodes = Vec::new();
    for node in starting {
        nodes.push(Arc::new(node.await.unwrap().unwrap()));
    }
    nodes
}

async fn write(node: &Postgres, parts: Vec<Part<buildly_unit::Change>>) -> Result<Revision, StoreError> {
    node.commit(Unit { parts }).await
}

fn part(chain: Option<OrganizationId>, subject: &str) -> Part<buildly_unit::Change> {
    Part::of_all(chain, vec![], vec![event("test.thing.made", subject)])
}

async fn verified(node: &Postgres, chain: Option<OrganizationId>) -> Vec<String> {
    let mut end = Chain::empty(chain);
    let events = node.events(chain, 0, 10_000).await.unwrap();
    events.iter().for_each(|event| end.verify(event).unwrap());
    assert_eq!(end, node.head(chain).await.unwrap());
    events.into_iter().map(|event| event.subject).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_hold_and_the_feed_skips_nothing_with_several_nodes() {
    let schema = Schema::new();
    let nodes = nodes(&schema).await;
    let chains = [organization(), organization(), None];
    let follower = tokio::spawn({
        let node = Arc::clone(&nodes[0]);
        async move { follow(&node, NODES * UNITS * 2).await }
    });
    let writers: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(number, node)| {
            let node = Arc::clone(node);
            tokio::spawn(async move {
                for unit in 0..UNITS {
                    // Two of the three, in an order that differs from node to node.
                    let [first, second] = [0, 1].map(|place| chains[(number + unit + place) % chains.len()]);
                    let subject = format!("{number} {unit}");
                    write(&node, vec![part(first, &subject), part(second, &subject)]).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut followed = follower.await.unwrap();
    let mut stored = Vec::new();
    for chain in chains {
        stored.extend(verified(&nodes[1], chain).await.into_iter().map(|subject| (chain, subject)));
    }
    followed.sort();
    stored.sort();
    assert_eq!(followed, stored);
}

async fn follow(node: &Postgres, count: usize) -> Vec<(Option<OrganizationId>, String)> {
    let mut seen = Vec::new();
    let mut position = FeedPosition::default();
    let all = async {
        while seen.len() < count {
            let page = node.read_feed(position, 7).await.unwrap();
            assert!(page.next >= position);
            position = page.next;
            if page.events.is_empty() {
                node.feed_changed(PATIENCE).await;
            }
            seen.extend(page.events.into_iter().map(|event| (event.organization, event.subject)));
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("every event comes");
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_nodes_that_expect_the_same_one_wins() {
    let schema = Schema::new();
    let nodes = nodes(&schema).await;
    let acme = organization();
    for round in 0..10 {
        let contenders: Vec<_> = nodes
            .iter()
            .map(|node| {
                let node = Arc::clone(node);
                tokio::spawn(
                    async move { write(&node, vec![part(acme, "contender").expecting(round)]).await },
                )
            })
            .collect();
        let mut won = 0;
        for contender in contenders {
            match contender.await.unwrap() {
                Ok(_) => won += 1,
                Err(StoreError::Stale) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(verified(&nodes[0], acme).await.len() as u64, round + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_one_node_wakes_another() {
    let schema = Schema::new();
    let nodes = nodes(&schema).await;
    let [writer, follower] = [&nodes[0], &nodes[1]];
    let mut position = follower.feed_end().await.unwrap();
    for _ in 0..5 {
        let revision = write(writer, vec![part(None, "news")]).await.unwrap();
        let arrived = async {
            loop {
                let page = follower.read_feed(position, 10).await.unwrap();
                position = page.next;
                if page.complete_to >= revision {
                    break;
                }
                follower.feed_changed(PATIENCE).await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.expect("the other node hears of it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_lock_the_same_rows_in_opposite_order_both_get_through() {
    let schema = Schema::new();
    let nodes = nodes(&schema).await;
    let (acme, globex) = (organization(), organization());
    let rivals: Vec<_> = [[acme, globex], [globex, acme]]
        .into_iter()
        .enumerate()
        .map(|(number, [first, second])| {
            let node = Arc::clone(&nodes[number]);
            tokio::spawn(async move {
                for _ in 0..50 {
                    write(&node, vec![part(first, "a"), part(second, "b")]).await.unwrap();
                }
            })
        })
        .collect();
    for rival in rivals {
        tokio::time::timeout(PATIENCE, rival).await.expect("nobody waits for ever").unwrap();
    }
    assert_eq!([verified(&nodes[2], acme).await.len(), verified(&nodes[2], globex).await.len()], [100, 100]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_transaction_of_somebody_else_holds_up_nobody() {
    let schema = Schema::new();
    let nodes = nodes(&schema).await;
    let mut stranger = PgConnection::connect(&database_url()).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT pg_current_xact_id()").execute(&mut stranger).await.unwrap();
    let end = nodes[1].feed_end().await.unwrap();
    let revision = write(&nodes[0], vec![part(None, "news")]).await.unwrap();
    let read = async {
        loop {
            let page = nodes[1].read_feed(end, 10).await.unwrap();
            if page.complete_to >= revision {
                break page.events.len();
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, read).await.expect("it is seen at once"), 1);
    sqlx::raw_sql("ROLLBACK").execute(&mut stranger).await.unwrap();
}

const NOBODY: LeaseId = LeaseId(uuid::Uuid::nil());
const LEASE: LeaseId = LeaseId(uuid::Uuid::from_u128(1));

async fn seen(node: &Postgres) -> SeenLease {
    let behind = node.leases_behind(NOBODY, Revision::new(1)).await.unwrap();
    *behind.first().expect("the lease is there")
}

/// A renewal, or an end, that is on its way to the disk.
async fn under_way(schema: &Schema, statement: &str) -> PgConnection {
    let mut connection = PgConnection::connect(&database_url()).await.unwrap();
    let sql = format!("SET search_path TO {}; BEGIN; {statement}", schema.0);
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection
}

async fn finish(mut connection: PgConnection) {
    // Long enough for the other statement to meet the lock.
    tokio::time::sleep(Duration::from_millis(200)).await;
    sqlx::raw_sql("COMMIT").execute(&mut connection).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_renewal_and_an_end_at_the_same_moment_one_counts() {
    let schema = Schema::new();
    let node = Arc::new(Postgres::connect_in(&database_url(), &schema.0).await.unwrap());
    node.begin_lease(LEASE).await.unwrap();

    let before = seen(&node).await;
    let renewal = under_way(&schema, "UPDATE node SET applied_revision = 0").await;
    let ending = tokio::spawn({
        let node = Arc::clone(&node);
        async move { node.end_unrenewed_lease(before).await }
    });
    finish(renewal).await;
    ending.await.unwrap().unwrap();
    assert_ne!(seen(&node).await.renewal, before.renewal, "the renewal was first, so the lease lives");

    let end = under_way(&schema, "DELETE FROM node").await;
    let renewing = tokio::spawn({
        let node = Arc::clone(&node);
        async move { node.renew_lease(LEASE, Revision::ZERO).await }
    });
    finish(end).await;
    assert!(!renewing.await.unwrap().unwrap(), "the end was first, and the node is told");
}
