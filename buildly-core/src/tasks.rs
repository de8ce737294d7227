//! What a deployment has started, and its end.

use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

/// Tasks, and what tells them to end.
pub(crate) struct Tasks {
    stop: watch::Sender<bool>,
    set: Mutex<JoinSet<()>>,
}

impl Tasks {
    pub(crate) fn new(stop: watch::Sender<bool>, set: JoinSet<()>) -> Self {
        Self { stop, set: Mutex::new(set) }
    }

    /// Tells them to end, and waits until they have.
    pub(crate) async fn end(&self) {
        self.stop.send_replace(true);
        let mut set = self.set.lock().await;
        while set.join_next().await.is_some() {}
    }
}
