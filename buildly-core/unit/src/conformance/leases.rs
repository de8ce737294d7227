//! Nodes and their leases.

use buildly_journal::{LeaseId, SeenLease};
use buildly_model::Revision;
use uuid::Uuid;

use super::sample::Store;

fn lease(number: u128) -> LeaseId {
    LeaseId(Uuid::from_u128(number))
}

async fn begin(store: &Store, number: u128) {
    store.begin_lease(lease(number)).await.expect("a lease is begun");
}

async fn renew(store: &Store, number: u128, applied: u64) -> bool {
    store.renew_lease(lease(number), Revision::new(applied)).await.expect("a lease is looked for")
}

async fn behind(store: &Store, number: u128, revision: u64) -> Vec<SeenLease> {
    let behind = store.leases_behind(lease(number), Revision::new(revision)).await;
    let mut behind = behind.expect("leases are listed");
    behind.sort_unstable_by_key(|seen| seen.lease);
    behind
}

fn only(seen: &[SeenLease]) -> SeenLease {
    assert_eq!(seen.len(), 1, "one lease is behind");
    *seen.first().expect("it was counted")
}

async fn numbers_behind(store: &Store, number: u128, revision: u64) -> Vec<u128> {
    behind(store, number, revision).await.iter().map(|seen| seen.lease.0.as_u128()).collect()
}

/// Three nodes at different revisions.
pub async fn a_node_that_lags_is_seen_until_it_has_caught_up(store: &Store) {
    assert_eq!(numbers_behind(store, 1, 100).await, [], "nobody is there yet");
    begin(store, 1).await;
    assert_eq!(numbers_behind(store, 1, 100).await, [], "the one who asks does not count");
    begin(store, 2).await;
    begin(store, 3).await;
    assert_eq!(numbers_behind(store, 1, 1).await, [2, 3], "a node that begins has applied nothing");
    assert!(renew(store, 2, 9).await && renew(store, 3, 5).await);
    assert_eq!(numbers_behind(store, 1, 5).await, []);
    assert_eq!(numbers_behind(store, 1, 9).await, [3]);
    assert_eq!(numbers_behind(store, 1, 10).await, [2, 3]);
    assert!(renew(store, 3, 10).await);
    assert_eq!(numbers_behind(store, 1, 10).await, [2]);
    assert_eq!(numbers_behind(store, 1, u64::MAX).await, [2, 3], "nobody has applied everything");
    store.end_lease(lease(2)).await.expect("a node leaves");
    assert_eq!(numbers_behind(store, 1, 10).await, []);
}

/// A node that ended without a word, or slept.
pub async fn a_lease_that_was_ended_is_not_renewed(store: &Store) {
    assert!(!renew(store, 2, 1).await, "nobody began it");
    begin(store, 2).await;
    let first = only(&behind(store, 1, 1).await);
    assert!(renew(store, 2, 0).await);
    let second = only(&behind(store, 1, 1).await);
    assert_ne!(first.renewal, second.renewal, "a renewal is seen");
    store.end_unrenewed_lease(first).await.expect("somebody who looked too early");
    assert!(renew(store, 2, 0).await, "a lease that was renewed since is not ended");
    let third = only(&behind(store, 1, 1).await);
    store.end_unrenewed_lease(third).await.expect("nobody renewed it");
    assert_eq!(behind(store, 1, 1).await, [], "nobody waits for it any more");
    assert!(!renew(store, 2, 5).await, "so its node is told");
    assert_eq!(behind(store, 1, 100).await, [], "and it does not come back");
}
