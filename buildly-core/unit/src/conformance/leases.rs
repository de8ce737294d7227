//! Nodes and their leases, by the database's clock.

use std::time::Duration;

use buildly_journal::NodeId;
use buildly_model::Revision;
use uuid::Uuid;

use super::sample::Store;

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(300);
/// Longer than a short lease by far; nothing waits for it but a failure.
const PATIENCE: Duration = Duration::from_secs(20);

fn node(number: u128) -> NodeId {
    NodeId(Uuid::from_u128(number))
}

async fn renew(store: &Store, number: u128, applied: u64, lease: Duration) {
    store.renew_lease(node(number), Revision::new(applied), lease).await.expect("a lease is renewed");
}

async fn behind(store: &Store, number: u128, revision: u64) -> u32 {
    store.nodes_behind(node(number), Revision::new(revision)).await.expect("nodes are counted")
}

/// Three nodes at different revisions.
pub async fn a_node_that_lags_is_counted_until_it_has_caught_up(store: &Store) {
    assert_eq!(behind(store, 1, 100).await, 0, "nobody is there yet");
    renew(store, 1, 0, LONG).await;
    assert_eq!(behind(store, 1, 100).await, 0, "the one who asks does not count");
    renew(store, 2, 9, LONG).await;
    renew(store, 3, 5, LONG).await;
    assert_eq!([behind(store, 1, 5).await, behind(store, 1, 9).await, behind(store, 1, 10).await], [0, 1, 2]);
    renew(store, 3, 10, LONG).await;
    assert_eq!(behind(store, 1, 10).await, 1);
    store.leave(node(2)).await.expect("a node leaves");
    assert_eq!(behind(store, 1, 10).await, 0);
}

/// A node that ended without a word.
pub async fn a_node_counts_until_its_lease_ends(store: &Store) {
    renew(store, 2, 0, LONG).await;
    assert_eq!(behind(store, 1, 1).await, 1, "a live node counts");
    renew(store, 2, 0, SHORT).await;
    let ended = async {
        while behind(store, 1, 1).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("a lease that is not renewed ends");
    renew(store, 2, 0, LONG).await;
    assert_eq!(behind(store, 1, 1).await, 1, "a node that comes back counts again");
}
