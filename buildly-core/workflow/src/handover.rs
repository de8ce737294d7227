//! The short way of effects: a step writes them as taken already and hands them straight to the
//! worker of its own node, so that nothing is read again and no lease is written by itself.
//!
//! Only a part of the worker's room goes this way. The rest is filled by takes, which see to it
//! that each organization has its turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use buildly_journal::LeaseId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::{Held, Leased, WorkerSettings};

/// How much of the worker's room may be filled this way, in quarters.
const ROOM_QUARTERS: usize = 3;

/// Says under which lease the node works now.
pub(crate) type Owner = Arc<dyn Fn() -> LeaseId + Send + Sync>;

/// The way to the worker of this node, while one works.
#[derive(Default)]
pub(crate) struct Handover(RwLock<Option<Desk>>);

#[derive(Clone)]
struct Desk {
    owner: Owner,
    lease: Duration,
    room: usize,
    load: Arc<Load>,
    handed: mpsc::UnboundedSender<Handed>,
}

/// How much the worker has.
#[derive(Debug, Default)]
pub(crate) struct Load {
    under_way: AtomicUsize,
    on_the_way: AtomicUsize,
}

impl Load {
    /// The worker says how much it has now.
    pub(crate) fn is(&self, under_way: usize) {
        self.under_way.store(under_way, Ordering::Relaxed);
    }
}

/// Effects for the worker, already taken.
pub(crate) struct Handed {
    pub(crate) leased: Vec<Leased>,
    /// Before the lease began.
    pub(crate) asked_at: Instant,
    /// Their room; free once the worker has counted them.
    _places: Places,
}

/// Room at the worker for the effects of one step.
pub(crate) struct Reserved {
    desk: Desk,
    asked_at: Instant,
    held: Held,
    places: Places,
}

struct Places {
    load: Arc<Load>,
    many: usize,
}

impl Drop for Places {
    fn drop(&mut self) {
        self.load.on_the_way.fetch_sub(self.many, Ordering::Relaxed);
    }
}

impl Handover {
    /// From now on effects can be handed over to whoever listens.
    pub(crate) fn open(
        &self,
        owner: Owner,
        settings: WorkerSettings,
    ) -> (mpsc::UnboundedReceiver<Handed>, Arc<Load>) {
        let (handed, listener) = mpsc::unbounded_channel();
        let load = Arc::new(Load::default());
        let room = settings.in_flight_max.saturating_mul(ROOM_QUARTERS) / 4;
        let desk = Desk { owner, lease: settings.lease, room, load: Arc::clone(&load), handed };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(desk);
        (listener, load)
    }

    /// Room for so many effects; `None` if the worker has enough, or nobody works here.
    pub(crate) fn reserve(&self, effects: usize) -> Option<Reserved> {
        let desk = self.0.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let load = Arc::clone(&desk.load);
        let before = load.on_the_way.fetch_add(effects, Ordering::Relaxed);
        let places = Places { load, many: effects };
        let under_way = places.load.under_way.load(Ordering::Relaxed);
        let all = under_way.saturating_add(before).saturating_add(effects);
        if effects == 0 || all > desk.room || desk.handed.is_closed() {
            return None;
        }
        let held = Held { owner: (desk.owner)(), lease: desk.lease };
        Some(Reserved { desk, asked_at: Instant::now(), held, places })
    }
}

impl Reserved {
    /// How the step writes its effects.
    pub(crate) const fn held(&self) -> Held {
        self.held
    }

    /// Gives the worker what has been written; given back if it has just stopped.
    pub(crate) fn give(self, leased: Vec<Leased>) -> Result<(), Vec<Leased>> {
        let Self { desk, asked_at, places, .. } = self;
        let handed = Handed { leased, asked_at, _places: places };
        desk.handed.send(handed).map_err(|refused| refused.0.leased)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn no_more_is_handed_over_than_there_is_room_for() {
        let handover = Handover::default();
        assert!(handover.reserve(1).is_none(), "nobody works here");
        let settings = WorkerSettings { in_flight_max: 8, ..WorkerSettings::default() };
        let owner: Owner = Arc::new(|| LeaseId(Uuid::nil()));
        let (mut listener, load) = handover.open(owner, settings);
        assert!(handover.reserve(0).is_none());
        assert!(handover.reserve(7).is_none());
        let four = handover.reserve(4).unwrap();
        assert!(handover.reserve(3).is_none(), "four are on the way");
        let two = handover.reserve(2).unwrap();
        drop(four);
        assert!(two.give(Vec::new()).is_ok());
        assert!(handover.reserve(5).is_none(), "two are not counted yet");
        let handed = listener.try_recv().unwrap();
        load.is(2);
        drop(handed);
        assert!(handover.reserve(5).is_none(), "two are under way");
        assert!(handover.reserve(4).is_some());
        drop(listener);
        assert!(handover.reserve(1).is_none(), "the worker has stopped");
    }
}
