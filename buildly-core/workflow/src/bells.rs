//! Waking: whoever waits for work, or for a run to move, is woken in memory.

use std::time::Duration;

use buildly_model::RunId;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// So many bells for runs: a run shares its own with few others.
const RUN_BELLS: usize = 64;

/// The bells of one node. A ring that nobody waits for is not kept, except for work.
#[derive(Debug)]
pub struct Bells {
    effects: Notify,
    inbox: Notify,
    timers: Notify,
    runs: [Notify; RUN_BELLS],
}

impl Default for Bells {
    fn default() -> Self {
        Self {
            effects: Notify::new(),
            inbox: Notify::new(),
            timers: Notify::new(),
            runs: std::array::from_fn(|_| Notify::new()),
        }
    }
}

impl Bells {
    /// A run has moved, on this node or another: there may be work.
    pub fn ring(&self, run: Option<RunId>) {
        self.effects.notify_one();
        self.inbox.notify_one();
        self.timers.notify_one();
        match run {
            Some(run) => self.of_run(run).notify_waiters(),
            None => self.runs.iter().for_each(Notify::notify_waiters),
        }
    }

    pub(crate) fn of_run(&self, run: RunId) -> &Notify {
        let number = usize::from(run.as_uuid().as_bytes().last().copied().unwrap_or(0)) % RUN_BELLS;
        self.runs.get(number).unwrap_or(&self.effects)
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
