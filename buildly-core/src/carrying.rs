//! Carries the journal's events out: one task for each transport.
//!
//! The follower says in which organizations something has happened. Each lane is carried by
//! one job at a time, of which so many run at once; what remains waits in memory and is found
//! again in the storage after a start. A lane that fails waits longer each time and holds up
//! no other.

mod lane;
mod touched;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use buildly_extension::{LaneKey, Lanes, Transport};
use buildly_journal::LeaseId;
use buildly_model::{Clock, OrganizationId, Random, StoreError};
use buildly_unit::Storage;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{error, warn};

pub(crate) use touched::Touched;

use touched::News;

/// How many lanes of one transport are carried at once.
const LANES_AT_ONCE: usize = 16;
/// How many lanes are read at once when all are looked for.
const LANES_READ_MAX: u32 = 1000;
/// How long to wait after the storage failed.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(1);
/// How long jobs may go on after the stop; what is cut off then comes again after the start.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// Carries events out through one transport.
#[derive(Clone)]
pub(crate) struct Carrier {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) storage: Arc<dyn Storage>,
    /// The lease of this node now.
    pub(crate) owner: Arc<dyn Fn() -> LeaseId + Send + Sync>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) touched: Arc<Touched>,
}

/// What is to be done with a lane after a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing, until something happens.
    Idle,
    /// There may be more.
    Again,
    /// Try again after a while.
    After(Duration),
}

/// The lanes that wait for a job, and those that have one.
#[derive(Default)]
struct Queue {
    due: BTreeMap<LaneKey, Instant>,
    running: HashMap<Id, LaneKey>,
    /// Those of the running ones of which news have come meanwhile.
    again: BTreeSet<LaneKey>,
}

impl Queue {
    fn add(&mut self, key: LaneKey) {
        if self.running.values().any(|running| *running == key) {
            self.again.insert(key);
        } else {
            self.due.insert(key, Instant::now());
        }
    }

    /// The lane that has been due for longest.
    fn pop(&mut self, now: Instant) -> Option<LaneKey> {
        let due = self.due.iter().filter(|(_, at)| **at <= now).min_by_key(|(_, at)| **at);
        let key = due.map(|(key, _)| key.clone())?;
        self.due.remove(&key);
        Some(key)
    }

    fn done(&mut self, id: Id, next: Next) {
        let Some(key) = self.running.remove(&id) else { return };
        let is_touched = self.again.remove(&key);
        let wait = match next {
            Next::Idle if !is_touched => return,
            Next::Idle | Next::Again => Duration::ZERO,
            Next::After(pause) => pause,
        };
        self.due.insert(key, Instant::now() + wait);
    }
}

impl Carrier {
    /// Carries until told to stop.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut queue = Queue::default();
        let mut jobs: JoinSet<Next> = JoinSet::new();
        while !*stop.borrow() {
            while jobs.len() < LANES_AT_ONCE
                && let Some(key) = queue.pop(Instant::now())
            {
                let (carrier, lane) = (self.clone(), key.clone());
                let job = jobs.spawn(async move { carrier.carry(&lane).await });
                queue.running.insert(job.id(), key);
            }
            let next_due = queue.due.values().min().copied().filter(|_| jobs.len() < LANES_AT_ONCE);
            tokio::select! {
                _ = stop.changed() => {}
                Some(joined) = jobs.join_next_with_id() => self.ended(&mut queue, joined),
                news = self.touched.wait() => self.look(&mut queue, news).await,
                () = tokio::time::sleep_until(next_due.unwrap_or_else(Instant::now)), if next_due.is_some() => {}
            }
        }
        let rest = async { while jobs.join_next().await.is_some() {} };
        // Else dropped: the events come again after the start.
        let _ = tokio::time::timeout(STOP_WITHIN, rest).await;
    }

    fn ended(&self, queue: &mut Queue, joined: Result<(Id, Next), JoinError>) {
        match joined {
            Ok((id, next)) => queue.done(id, next),
            Err(failed) => {
                error!(transport = self.transport.name(), error = %failed, "a transport panicked");
                queue.done(failed.id(), Next::After(PAUSE_AFTER_FAULT));
            }
        }
    }

    async fn look(&self, queue: &mut Queue, news: News) {
        let found = match &news {
            News::Anywhere => self.all_behind().await,
            News::In(organizations) => self.lanes_of(organizations).await,
        };
        match found {
            Ok(lanes) => lanes.into_iter().for_each(|key| queue.add(key)),
            Err(error) => {
                warn!(transport = self.transport.name(), %error, "lanes cannot be read; trying again");
                self.touched.tell_again(news);
                tokio::time::sleep(PAUSE_AFTER_FAULT).await;
            }
        }
    }

    async fn lanes_of(
        &self,
        organizations: &BTreeSet<Option<OrganizationId>>,
    ) -> Result<Vec<LaneKey>, StoreError> {
        let mut found = Vec::new();
        for organization in organizations.iter().copied() {
            match self.transport.lanes() {
                Lanes::OneEach => found.push(LaneKey {
                    transport: self.transport.name().to_owned(),
                    organization,
                    lane: String::new(),
                }),
                Lanes::Opened => {
                    found.extend(self.storage.lanes(self.transport.name(), organization).await?);
                }
            }
        }
        Ok(found)
    }

    async fn all_behind(&self) -> Result<Vec<LaneKey>, StoreError> {
        let (name, lanes) = (self.transport.name(), self.transport.lanes());
        let mut found: Vec<LaneKey> = Vec::new();
        loop {
            let page = self.storage.lanes_behind(name, lanes, found.last(), LANES_READ_MAX).await?;
            let is_last = page.len() < LANES_READ_MAX as usize;
            found.extend(page);
            if is_last {
                return Ok(found);
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
