//! How this node keeps in touch with the others, so that a right that was taken away is
//! used by nobody.
//!
//! Every node renews a lease in the database and says how far it has come. Whoever takes a
//! right away waits until every node with a running lease has applied it. A node whose lease
//! ran out refuses requests, reads everything anew, and only then goes on: nothing that
//! starts after the acknowledgement uses the removed right.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use buildly_journal::NodeId;
use buildly_model::{Revision, StoreError};
use buildly_unit::Storage;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::snapshot::Hot;

/// How long a node counts as alive without saying so again: the price of a dead node.
pub(crate) const LEASE: Duration = Duration::from_secs(2);
/// The node itself stops a little earlier, should its clock run slower than the database's.
const LEASE_MARGIN: Duration = Duration::from_millis(200);
/// How often the lease is renewed when nothing happens.
const RENEW_INTERVAL: Duration = Duration::from_millis(500);
/// No more renewals than one in this time, however much happens.
const RENEW_PAUSE: Duration = Duration::from_millis(10);
/// How often somebody who takes a right away looks whether all have applied it.
const LOOK_PAUSE: Duration = Duration::from_millis(5);

/// This node's standing among the others.
pub(crate) struct Freshness {
    node: NodeId,
    storage: Arc<dyn Storage>,
    hot: Arc<Hot>,
    started: Instant,
    /// Until when this node may answer, in microseconds since `started`; 0 while out of touch.
    fresh_until: AtomicU64,
    reload: Arc<Notify>,
    reloads: watch::Receiver<u64>,
}

impl Freshness {
    pub(crate) fn new(
        node: NodeId,
        storage: Arc<dyn Storage>,
        hot: Arc<Hot>,
        reload: Arc<Notify>,
        reloads: watch::Receiver<u64>,
    ) -> Self {
        let fresh_until = AtomicU64::new(0);
        Self { node, storage, hot, started: Instant::now(), fresh_until, reload, reloads }
    }

    /// Whether this node may answer now.
    ///
    /// # Errors
    /// [`StoreError::Behind`] while it is out of touch with the others.
    pub(crate) fn require(&self) -> Result<(), StoreError> {
        if self.microseconds(Instant::now()) <= self.fresh_until.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(StoreError::Behind { applied: self.hot.load().revision })
    }

    /// Waits until no other live node is still before `revision`.
    pub(crate) async fn wait_for_others(&self, revision: Revision) -> Result<(), StoreError> {
        while self.storage.nodes_behind(self.node, revision).await? > 0 {
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        Ok(())
    }

    /// Takes the lease for the first time; the state must be loaded after this.
    pub(crate) async fn join(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        self.storage.renew_lease(self.node, self.hot.load().revision, LEASE).await?;
        self.extend(asked);
        Ok(())
    }

    /// Keeps the lease until told to stop, then leaves.
    pub(crate) async fn keep(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut applied = self.hot.applied();
        while !*stop.borrow() {
            if let Err(error) = self.renew().await {
                warn!(%error, node = %self.node, "the lease could not be renewed");
            }
            tokio::time::sleep(RENEW_PAUSE).await;
            tokio::select! {
                _ = stop.changed() => {}
                _ = applied.changed() => {}
                () = tokio::time::sleep(RENEW_INTERVAL) => {}
            }
        }
        if let Err(error) = self.storage.leave(self.node).await {
            warn!(%error, node = %self.node, "the node could not take itself off the list");
        }
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let lapsed = self.require().is_err();
        if lapsed {
            // Nobody waited for this node meanwhile: what it knows may be missing removals,
            // and even the feed may hide one behind a transaction still in flight.
            self.fresh_until.store(0, Ordering::Release);
        }
        let asked = Instant::now();
        self.storage.renew_lease(self.node, self.hot.load().revision, LEASE).await?;
        if !lapsed {
            self.extend(asked);
            return Ok(());
        }
        warn!(node = %self.node, "this node was out of touch; it refuses requests until it has caught up");
        self.read_anew().await?;
        let asked = Instant::now();
        self.storage.renew_lease(self.node, self.hot.load().revision, LEASE).await?;
        self.extend(asked);
        info!(node = %self.node, "this node has caught up");
        Ok(())
    }

    /// Has the follower read everything again, keeping the lease meanwhile, so that whoever
    /// takes a right away from now on waits for this node.
    async fn read_anew(&self) -> Result<(), StoreError> {
        let mut reloads = self.reloads.clone();
        reloads.mark_unchanged();
        self.reload.notify_one();
        loop {
            tokio::select! {
                changed = reloads.changed() => {
                    return changed.map_err(|_| StoreError::Behind { applied: self.hot.load().revision });
                }
                () = tokio::time::sleep(RENEW_INTERVAL) => {
                    self.storage.renew_lease(self.node, Revision::ZERO, LEASE).await?;
                }
            }
        }
    }

    fn extend(&self, asked: Instant) {
        let until = self.microseconds(asked + LEASE - LEASE_MARGIN);
        self.fresh_until.store(until, Ordering::Release);
    }

    fn microseconds(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.started);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}
