//! A door: so many calls inside, so many before it, and long streams beside them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use buildly_gateway::traffic::concurrency::{Admission, Policy, admit, retry_after_seconds};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Counts calls under way and waiting; its size changes without disturbing them.
pub(crate) struct Door {
    semaphore: Arc<Semaphore>,
    /// How many permits there are, those that are out included.
    size: Mutex<u32>,
    /// How many permits are to vanish when they come back.
    surplus: Arc<AtomicU32>,
    waiting: AtomicU32,
    streams: Arc<AtomicU32>,
}

/// One call's place inside.
pub(crate) struct DoorPermit {
    permit: Option<OwnedSemaphorePermit>,
    surplus: Arc<AtomicU32>,
}

/// One long stream's place.
pub(crate) struct DoorStream(Arc<AtomicU32>);

/// There is no place; when to come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Busy {
    pub(crate) retry_after_seconds: u32,
}

impl Door {
    pub(crate) fn new(in_flight_max: u32) -> Self {
        Self {
            semaphore: Arc::new(Semaphore::new(in_flight_max as usize)),
            size: Mutex::new(in_flight_max),
            surplus: Arc::default(),
            waiting: AtomicU32::new(0),
            streams: Arc::default(),
        }
    }

    /// Makes it larger at once, or smaller as calls end.
    pub(crate) fn resize(&self, to: u32) {
        let mut size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if to >= *size {
            let mut more = to - *size;
            let kept = self.surplus.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |surplus| {
                Some(surplus.saturating_sub(more))
            });
            more -= kept.unwrap_or(0).min(more);
            self.semaphore.add_permits(more as usize);
        } else {
            let fewer = *size - to;
            let gone = self.semaphore.forget_permits(fewer as usize);
            self.surplus.fetch_add(fewer - u32::try_from(gone).unwrap_or(fewer), Ordering::Relaxed);
        }
        *size = to;
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Busy`] at once if too many wait already, or after the longest wait.
    pub(crate) async fn enter(&self, policy: &Policy) -> Result<DoorPermit, Busy> {
        let _waiting = match self.admission(policy) {
            Admission::Start => match Arc::clone(&self.semaphore).try_acquire_owned() {
                Ok(permit) => return Ok(self.permit(permit)),
                Err(_) => self.wait(policy)?,
            },
            Admission::Wait(_) => self.wait(policy)?,
            Admission::Busy { retry_after_seconds } => return Err(Busy { retry_after_seconds }),
        };
        match timeout(policy.queue_wait_max, Arc::clone(&self.semaphore).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(self.permit(permit)),
            Ok(Err(_)) | Err(_) => Err(Busy { retry_after_seconds: retry_after_seconds(policy) }),
        }
    }

    /// A place for a long stream, beside the calls.
    pub(crate) fn enter_stream(&self, policy: &Policy) -> Result<DoorStream, Busy> {
        let entered = self.streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |streams| {
            (streams < policy.streams_max).then(|| streams + 1)
        });
        match entered {
            Ok(_) => Ok(DoorStream(Arc::clone(&self.streams))),
            Err(_) => Err(Busy { retry_after_seconds: retry_after_seconds(policy) }),
        }
    }

    /// Calls under way, and waiting ones.
    pub(crate) fn load(&self) -> (u32, u32) {
        let size = *self.size.lock().unwrap_or_else(PoisonError::into_inner);
        let free = u32::try_from(self.semaphore.available_permits()).unwrap_or(u32::MAX);
        let outside = size + self.surplus.load(Ordering::Relaxed);
        (outside.saturating_sub(free), self.waiting.load(Ordering::Relaxed))
    }

    fn admission(&self, policy: &Policy) -> Admission {
        // Only whether one is free matters for the decision; that needs no lock.
        let free = u32::try_from(self.semaphore.available_permits()).unwrap_or(u32::MAX);
        let in_flight = policy.in_flight_max.saturating_sub(free);
        admit(in_flight, self.waiting.load(Ordering::Relaxed), policy)
    }

    fn wait(&self, policy: &Policy) -> Result<Waiting<'_>, Busy> {
        let entered =
            self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
                match admit(policy.in_flight_max, waiting, policy) {
                    Admission::Busy { .. } => None,
                    Admission::Start | Admission::Wait(_) => Some(waiting + 1),
                }
            });
        match entered {
            Ok(_) => Ok(Waiting(&self.waiting)),
            Err(_) => Err(Busy { retry_after_seconds: retry_after_seconds(policy) }),
        }
    }

    fn permit(&self, permit: OwnedSemaphorePermit) -> DoorPermit {
        DoorPermit { permit: Some(permit), surplus: Arc::clone(&self.surplus) }
    }
}

struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for DoorPermit {
    fn drop(&mut self) {
        let vanishes = self
            .surplus
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |surplus| surplus.checked_sub(1))
            .is_ok();
        if let Some(permit) = self.permit.take().filter(|_| vanishes) {
            permit.forget();
        }
    }
}

impl Drop for DoorStream {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
