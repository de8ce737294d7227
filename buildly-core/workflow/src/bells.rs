//! Waking: whoever waits for work, or for a run to move, is woken in memory.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use buildly_model::RunId;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use crate::Change;

/// So many bells for runs: a run shares its own with few others.
const RUN_BELLS: usize = 1024;
/// What other nodes have left to do is looked at no more often than this.
const WORK_INTERVAL: Duration = Duration::from_millis(20);

/// The bells of one node. A ring that nobody waits for is not kept, except for work.
#[derive(Debug)]
pub struct Bells {
    effects: Notify,
    inbox: Notify,
    timers: Notify,
    moved: RunBells,
    ended: RunBells,
    work_rung: Mutex<Option<Instant>>,
}

impl Default for Bells {
    fn default() -> Self {
        Self {
            effects: Notify::new(),
            inbox: Notify::new(),
            timers: Notify::new(),
            moved: RunBells::default(),
            ended: RunBells::default(),
            work_rung: Mutex::default(),
        }
    }
}

/// Bells of which each run has one.
#[derive(Debug)]
struct RunBells(Box<[Notify]>, Notify);

impl Default for RunBells {
    fn default() -> Self {
        Self((0..RUN_BELLS).map(|_| Notify::new()).collect(), Notify::new())
    }
}

impl RunBells {
    fn of(&self, run: RunId) -> &Notify {
        self.0.get(place(run, RUN_BELLS)).unwrap_or(&self.1)
    }
}

/// Where a run is among `places`, by the random end of its id.
pub(crate) fn place(run: RunId, places: usize) -> usize {
    let [.., high, low] = *run.as_uuid().as_bytes();
    usize::from(u16::from_be_bytes([high, low])) % places.max(1)
}

impl Bells {
    /// Another node has moved a run, so that there may be work for this one.
    pub fn heard_of(&self, run: RunId, has_ended: bool) {
        self.moved(run, has_ended);
        let now = Instant::now();
        let mut rung = self.work_rung.lock().unwrap_or_else(PoisonError::into_inner);
        if rung.is_none_or(|rung| now.saturating_duration_since(rung) >= WORK_INTERVAL) {
            *rung = Some(now);
            [&self.effects, &self.inbox, &self.timers].into_iter().for_each(Notify::notify_one);
        }
    }

    pub(crate) fn ring(&self, rings: &Rings) {
        for (is_rung, bell) in
            [(rings.effects, &self.effects), (rings.inbox, &self.inbox), (rings.timers, &self.timers)]
        {
            if is_rung {
                bell.notify_one();
            }
        }
        for (run, has_ended) in &rings.runs {
            self.moved(*run, *has_ended);
        }
    }

    fn moved(&self, run: RunId, has_ended: bool) {
        self.moved.of(run).notify_waiters();
        if has_ended {
            self.ended.of(run).notify_waiters();
        }
    }

    /// Rings when a run moves.
    pub(crate) fn of_move(&self, run: RunId) -> &Notify {
        self.moved.of(run)
    }

    /// Rings when a run ends.
    pub(crate) fn of_end(&self, run: RunId) -> &Notify {
        self.ended.of(run)
    }

    pub(crate) fn effects(&self) -> Notified<'_> {
        self.effects.notified()
    }

    pub(crate) async fn inbox_or(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.inbox.notified()).await;
    }

    pub(crate) async fn timers_or(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.timers.notified()).await;
    }
}

/// Which bells a unit rings once it is written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Rings {
    effects: bool,
    inbox: bool,
    timers: bool,
    runs: Vec<(RunId, bool)>,
}

impl Rings {
    /// Those of an input for this run.
    pub(crate) fn of_queued(run: RunId) -> Self {
        Self { inbox: true, runs: vec![(run, false)], ..Self::default() }
    }

    pub(crate) fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut rings = Self::default();
        for change in changes {
            match change {
                Change::RunStarted { run, input, .. } => {
                    rings.inbox |= input.is_some();
                    rings.runs.push((run.id, false));
                }
                Change::InputQueued { .. } => rings.inbox = true,
                Change::RunStepped(stepped) => {
                    rings.effects |= !stepped.effects.is_empty() && stepped.held.is_none();
                    rings.timers |= stepped.timers.iter().any(|timer| timer.due.is_some());
                    rings.runs.push((stepped.run, stepped.is_ended));
                }
                Change::TemplateSaved(_)
                | Change::TemplateMoved { .. }
                | Change::DraftDeleted { .. }
                | Change::Level(_) => {}
            }
        }
        rings
    }
}
