//! How long the head of an answer may take.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use buildly_gateway::traffic::upload;
use buildly_model::Timestamp;
use tokio::time::{Instant, timeout_at};

/// The head of an answer must come within `first_byte` of the last byte of the request that
/// went out (an upload may take its time, but must get on), retries included, and before the
/// caller's own end.
pub(crate) struct Deadline {
    start: Instant,
    first_byte: Duration,
    end: Option<Instant>,
    sent: Progress,
}

/// How far the request's body has come; `None` for a request without one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Option<Arc<Sent>>);

#[derive(Debug)]
struct Sent {
    start: Instant,
    /// When it last moved, since the start.
    moved_ms: AtomicU64,
    bytes: AtomicU64,
}

/// Why the wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elapsed {
    /// The service took too long.
    FirstByte,
    /// The caller's own end came.
    Caller,
}

impl Progress {
    pub(crate) fn moved(&self, bytes: usize) {
        if let Some(sent) = &self.0 {
            let moved_ms = u64::try_from(sent.start.elapsed().as_millis()).unwrap_or(u64::MAX);
            sent.moved_ms.store(moved_ms, Ordering::Relaxed);
            sent.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }
}

impl Deadline {
    /// From now; `has_body` if the request's body is a stream that takes its time.
    pub(crate) fn new(first_byte: Duration, end: Option<Timestamp>, now: Timestamp, has_body: bool) -> Self {
        let start = Instant::now();
        let end = end.map(|end| start + end.since(now));
        let sent = || Sent { start, moved_ms: AtomicU64::new(0), bytes: AtomicU64::new(0) };
        let sent = Progress(has_body.then(|| Arc::new(sent())));
        Self { start, first_byte, end, sent }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.sent.clone()
    }

    /// When it will be over if the request's body does not move any more.
    fn at(&self) -> (Instant, Elapsed) {
        let sent = self.sent.0.as_ref().map(|sent| {
            let moved = Duration::from_millis(sent.moved_ms.load(Ordering::Relaxed));
            upload::ends(self.first_byte, moved, sent.bytes.load(Ordering::Relaxed))
        });
        let first_byte = self.start + sent.unwrap_or(self.first_byte);
        match self.end {
            Some(end) if end < first_byte => (end, Elapsed::Caller),
            Some(_) | None => (first_byte, Elapsed::FirstByte),
        }
    }

    /// Waits for `future`, as long as the deadline lets it.
    ///
    /// # Errors
    /// [`Elapsed`] says whose time is over.
    pub(crate) async fn within<F: Future>(&self, future: F) -> Result<F::Output, Elapsed> {
        let mut future = pin!(future);
        loop {
            let (at, elapsed) = self.at();
            if let Ok(output) = timeout_at(at, future.as_mut()).await {
                return Ok(output);
            }
            if self.at().0 <= at {
                return Err(elapsed);
            }
        }
    }
}
