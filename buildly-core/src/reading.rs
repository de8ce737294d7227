//! How the follower's reading stands: what the lease's keeper asks of it, and whether it follows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use buildly_model::StoreError;
use tokio::sync::watch;
use tokio::time::Instant;

/// Between the follower and the lease's keeper.
pub(crate) struct Reading {
    /// How often everything was asked to be read anew.
    asked: watch::Sender<u64>,
    ended: watch::Sender<Ended>,
    started: Instant,
    /// When the follower last saw the end of the feed, in microseconds since `started`.
    seen_end: AtomicU64,
}

/// Up to which request everything was read anew, and up to which that failed.
#[derive(Debug, Clone, Copy, Default)]
struct Ended {
    finished: u64,
    failed: u64,
}

impl Reading {
    pub(crate) fn new() -> Self {
        Self {
            asked: watch::Sender::new(0),
            ended: watch::Sender::new(Ended::default()),
            started: Instant::now(),
            seen_end: AtomicU64::new(0),
        }
    }

    /// Has the follower read everything anew. What it reads was there after this call began: a
    /// reading that was under way already does not count.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it could not be read.
    pub(crate) async fn read_anew(&self) -> Result<(), StoreError> {
        let mut wanted = 0;
        self.asked.send_modify(|asked| {
            *asked += 1;
            wanted = *asked;
        });
        let mut ended = self.ended.subscribe();
        let is_over = |ended: &Ended| ended.finished >= wanted || ended.failed >= wanted;
        match ended.wait_for(is_over).await {
            Ok(ended) if ended.finished >= wanted => Ok(()),
            Ok(_) | Err(_) => Err(StoreError::Unavailable {
                reason: "the state could not be read anew".to_owned(),
                source: None,
            }),
        }
    }

    /// The requests to read anew, for the follower; those of before are among them.
    pub(crate) fn requests(&self) -> watch::Receiver<u64> {
        let mut requests = self.asked.subscribe();
        requests.mark_changed();
        requests
    }

    /// The newest request, if nobody has done it.
    pub(crate) fn next_request(&self, requests: &mut watch::Receiver<u64>) -> Option<u64> {
        let request = *requests.borrow_and_update();
        let ended = *self.ended.borrow();
        (request > ended.finished.max(ended.failed)).then_some(request)
    }

    /// The follower has read anew what was asked for up to `request`, or could not.
    pub(crate) fn end(&self, request: u64, is_read: bool) {
        self.ended.send_modify(|ended| {
            let last = if is_read { &mut ended.finished } else { &mut ended.failed };
            *last = request.max(*last);
        });
    }

    /// The follower has seen the end of the feed just now.
    pub(crate) fn saw_end(&self) {
        self.seen_end.store(self.microseconds(), Ordering::Release);
    }

    /// For how long the follower has not seen the end of the feed.
    pub(crate) fn silence(&self) -> Duration {
        let seen = self.seen_end.load(Ordering::Acquire);
        Duration::from_micros(self.microseconds().saturating_sub(seen))
    }

    fn microseconds(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_reading_that_was_under_way_already_does_not_count() {
        let reading = Arc::new(Reading::new());
        let mut requests = reading.requests();
        requests.changed().await.unwrap();
        assert_eq!(reading.next_request(&mut requests), None, "nobody has asked yet");
        let first = tokio::spawn({
            let reading = Arc::clone(&reading);
            async move { reading.read_anew().await }
        });
        requests.changed().await.unwrap();
        let under_way = reading.next_request(&mut requests).unwrap();
        first.abort();
        let second = tokio::spawn({
            let reading = Arc::clone(&reading);
            async move { reading.read_anew().await }
        });
        requests.changed().await.unwrap();
        reading.end(under_way, true);
        tokio::task::yield_now().await;
        assert!(!second.is_finished(), "what was read may be older than the question");
        reading.end(reading.next_request(&mut requests).unwrap(), true);
        assert_eq!(reading.next_request(&mut requests), None, "it is done");
        second.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_reading_that_fails_is_told() {
        let reading = Reading::new();
        let follower = async {
            // Somebody asked before the follower began.
            let mut requests = reading.requests();
            requests.changed().await.unwrap();
            reading.end(reading.next_request(&mut requests).unwrap(), false);
        };
        let (read, ()) = tokio::join!(reading.read_anew(), follower);
        assert!(matches!(read, Err(StoreError::Unavailable { .. })), "{read:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_end_of_the_feed() {
        let reading = Reading::new();
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(reading.silence(), Duration::from_secs(7));
        reading.saw_end();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(reading.silence(), Duration::from_secs(1));
    }
}
