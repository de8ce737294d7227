//! Runs whose state or template cannot be used: they are left alone for a while, so that one
//! broken run does not keep a node busy.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use buildly_model::RunId;
use tokio::time::Instant;

const REST: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Resting(Mutex<HashMap<RunId, Instant>>);

impl Resting {
    pub(super) fn rest(&self, run: RunId) {
        let mut resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| *until > Instant::now());
        resting.insert(run, Instant::now() + REST);
    }

    pub(super) fn rests(&self, run: RunId) -> bool {
        let resting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        resting.get(&run).is_some_and(|until| *until > Instant::now())
    }
}
