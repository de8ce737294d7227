//! How this node keeps in touch with the others, so that a right that was taken away is
//! used by nobody.
//!
//! Every node holds a lease in the database and says how far it has come. Whoever takes a
//! right away waits until every leaseholder has applied it, or has had its lease ended. A node
//! whose lease was ended, or is too old by its own steady clock, refuses requests, takes a new
//! lease, reads everything anew, and only then goes on: nothing that starts after the
//! acknowledgement uses the removed right (`docs/decisions/0002`, `0007`).

mod unrenewed;

use std::pin::pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use buildly_journal::{LeaseId, SeenLease};
use buildly_model::{Clock, Revision, StoreError};
use buildly_unit::Storage;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::reading::Reading;
use crate::snapshot::Hot;
use unrenewed::Unrenewed;

/// How long a node counts as alive without saying so again: the price of a dead node.
const LEASE: Duration = Duration::from_secs(2);
/// The node itself stops a little earlier, should its steady clock be slower than another's.
const LEASE_MARGIN: Duration = Duration::from_millis(200);
/// How often the lease is renewed when nothing happens.
const RENEW_INTERVAL: Duration = Duration::from_millis(500);
/// No more renewals than one in this time, however much happens.
const RENEW_PAUSE: Duration = Duration::from_millis(10);
/// How long reading everything anew may take. Others wait for this node meanwhile.
const READING_MAX: Duration = Duration::from_secs(30);
/// A follower that has not seen the end of the feed for this long does not follow.
const FOLLOWING_MAX: Duration = Duration::from_secs(5);
/// How long to wait after the storage failed, before trying again.
const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(100);
/// How long the keeper of the lease looks at the leases of others.
const LOOK_MAX: Duration = Duration::from_millis(700);
/// How soon, and at last how seldom, somebody who takes a right away looks whether all have
/// applied it.
const LOOK_PAUSE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// This node's standing among the others.
pub(crate) struct Freshness {
    /// Over connections that no request uses.
    storage: Arc<dyn Storage>,
    hot: Arc<Hot>,
    clock: Arc<dyn Clock>,
    reading: Arc<Reading>,
    lease: Mutex<LeaseId>,
    others: Mutex<Unrenewed>,
    started: Instant,
    /// Until when this node may answer, in microseconds since `started`; 0 while it may not.
    fresh_until: AtomicU64,
    /// The same by the wall clock, in microseconds since the epoch: a machine that slept may not
    /// have counted the time.
    fresh_until_by_clock: AtomicI64,
    /// Until when it could last answer, in microseconds since `started`.
    was_fresh_until: AtomicU64,
    /// Somebody was refused.
    refused: Notify,
}

impl Freshness {
    pub(crate) fn new(
        storage: Arc<dyn Storage>,
        hot: Arc<Hot>,
        clock: Arc<dyn Clock>,
        reading: Arc<Reading>,
    ) -> Self {
        Self {
            storage,
            hot,
            clock,
            reading,
            lease: Mutex::new(new_lease()),
            others: Mutex::default(),
            started: Instant::now(),
            fresh_until: AtomicU64::new(0),
            fresh_until_by_clock: AtomicI64::new(0),
            was_fresh_until: AtomicU64::new(0),
            refused: Notify::new(),
        }
    }

    /// Whether this node may answer now.
    ///
    /// # Errors
    /// [`StoreError::Behind`] while it is out of touch with the others.
    pub(crate) fn require(&self) -> Result<(), StoreError> {
        if self.is_fresh() {
            return Ok(());
        }
        self.refused.notify_one();
        Err(self.behind())
    }

    /// For how long this node has been out of touch; zero while it is not.
    pub(crate) fn out_of_touch(&self) -> Duration {
        let until = self.was_fresh_until.load(Ordering::Acquire);
        Duration::from_micros(self.microseconds(Instant::now()).saturating_sub(until))
    }

    /// Waits until no other leaseholder is still before `revision`, asking through `storage`.
    pub(crate) async fn wait_for_others(
        &self,
        storage: &dyn Storage,
        revision: Revision,
    ) -> Result<(), StoreError> {
        let (mut pause, longest) = LOOK_PAUSE;
        while !self.look(storage, revision).await?.is_empty() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
        Ok(())
    }

    /// Takes a lease, then reads, then may answer. Whoever takes a right away from now on waits
    /// for this node, and what was taken away before is in what is read.
    ///
    /// # Errors
    /// [`StoreError::Behind`] if the lease was ended meanwhile: try again.
    pub(crate) async fn begin<T>(
        &self,
        reading: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.fresh_until.store(0, Ordering::Release);
        let lease = new_lease();
        self.storage.begin_lease(lease).await?;
        let lost = std::mem::replace(&mut *lock(&self.lease), lease);
        let read = async {
            self.storage.end_lease(lost).await?;
            let read = tokio::time::timeout(READING_MAX, self.keep_while(lease, reading)).await;
            let read = read.map_err(|_| self.behind())??;
            if self.extend(lease).await? { Ok(read) } else { Err(self.behind()) }
        };
        let read = read.await;
        if read.is_err()
            && let Err(error) = self.storage.end_lease(lease).await
        {
            debug!(%error, %lease, "others end this lease in time");
        }
        read
    }

    /// Keeps the lease until told to stop, then ends it.
    pub(crate) async fn keep(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut applied = self.hot.applied();
        let (mut is_well, mut looked) = (true, Instant::now());
        while !*stop.borrow() {
            let renewed = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                renewed = self.renew() => renewed,
            };
            if let Err(error) = &renewed
                && is_well
            {
                warn!(%error, "this node is out of touch with the others; it refuses requests");
            }
            is_well = renewed.is_ok();
            if is_well && looked.elapsed() >= RENEW_INTERVAL {
                looked = Instant::now();
                // The own lease is more urgent than those of others.
                match tokio::time::timeout(LOOK_MAX, self.end_dead_leases()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => debug!(%error, "the leases of others could not be looked at"),
                    Err(_) => debug!("the leases of others could not be looked at in time"),
                }
            }
            tokio::time::sleep(if is_well { RENEW_PAUSE } else { PAUSE_AFTER_FAULT }).await;
            tokio::select! {
                _ = stop.changed() => {}
                _ = applied.changed() => {}
                () = self.refused.notified() => {}
                () = tokio::time::sleep(RENEW_INTERVAL) => {}
            }
        }
        let lease = self.lease();
        if let Err(error) = self.storage.end_lease(lease).await {
            warn!(%error, %lease, "the lease could not be ended; others end it in time");
        }
    }

    async fn renew(&self) -> Result<(), StoreError> {
        if self.reading.silence() > FOLLOWING_MAX {
            // Nobody shall wait for a node that does not follow.
            self.fresh_until.store(0, Ordering::Release);
            self.storage.end_lease(self.lease()).await?;
            return Err(StoreError::Unavailable {
                reason: "the journal was not followed for too long".to_owned(),
                source: None,
            });
        }
        if self.is_fresh() && self.extend(self.lease()).await? {
            return Ok(());
        }
        // Nobody waited for this node meanwhile: what it knows may be missing removals, and even
        // the feed may hide one behind a transaction still in flight.
        self.begin(self.reading.read_anew()).await?;
        info!("this node has caught up with the others");
        Ok(())
    }

    /// Renews the lease while something is read.
    async fn keep_while<T>(
        &self,
        lease: LeaseId,
        reading: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut reading = pin!(reading);
        loop {
            tokio::select! {
                read = &mut reading => return read,
                () = tokio::time::sleep(RENEW_INTERVAL) => {}
            }
            match self.storage.renew_lease(lease, Revision::ZERO).await {
                Ok(true) => {}
                Ok(false) => return Err(self.behind()),
                Err(error) => debug!(%error, %lease, "a renewal failed"),
            }
        }
    }

    /// Renews the lease and goes on answering; false if the lease was ended.
    async fn extend(&self, lease: LeaseId) -> Result<bool, StoreError> {
        // Before it is asked for: nobody else counts from a later instant.
        let (asked, asked_by_clock) = (Instant::now(), self.clock.now());
        if !self.storage.renew_lease(lease, self.hot.load().revision).await? {
            return Ok(false);
        }
        let length = LEASE - LEASE_MARGIN;
        let until = self.microseconds(asked + length);
        self.fresh_until_by_clock.store(asked_by_clock.after(length).as_microseconds(), Ordering::Release);
        self.was_fresh_until.store(until, Ordering::Release);
        self.fresh_until.store(until, Ordering::Release);
        Ok(true)
    }

    /// Ends the leases of nodes that ended without a word, so that nobody has to wait for them.
    async fn end_dead_leases(&self) -> Result<(), StoreError> {
        let all = self.look(self.storage.as_ref(), Revision::new(u64::MAX)).await?;
        lock(&self.others).forget_all_but(&all);
        Ok(())
    }

    /// The leases of others that are before `revision`. Ends those that are overdue.
    async fn look(&self, storage: &dyn Storage, revision: Revision) -> Result<Vec<SeenLease>, StoreError> {
        let behind = storage.leases_behind(self.lease(), revision).await?;
        let overdue = lock(&self.others).see(&behind, Instant::now(), LEASE);
        for seen in overdue {
            warn!(lease = %seen.lease, "the lease of another node was not renewed; it is ended");
            storage.end_unrenewed_lease(seen).await?;
        }
        Ok(behind)
    }

    fn is_fresh(&self) -> bool {
        self.microseconds(Instant::now()) <= self.fresh_until.load(Ordering::Acquire)
            && self.clock.now().as_microseconds() <= self.fresh_until_by_clock.load(Ordering::Acquire)
    }

    fn behind(&self) -> StoreError {
        StoreError::Behind { applied: self.hot.load().revision }
    }

    pub(crate) fn lease(&self) -> LeaseId {
        *lock(&self.lease)
    }

    fn microseconds(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.started);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

fn new_lease() -> LeaseId {
    LeaseId(Uuid::now_v7())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
