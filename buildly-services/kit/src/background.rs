//! Work that goes on when the request that began it is gone, and work that no request began.
//!
//! A client that disconnects drops its request wherever it waits. What must not be left half
//! done runs as [`Records::finish`]; what was left half done by a crash is looked after by a
//! [`Start`]. Both end before the service's database closes.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use buildly_model::StoreError;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::{Error, Records};

/// How many pieces of work are finished at the same time; more wait.
const FINISHING_MAX: u32 = 256;

/// What a service does once it is open, beside its requests.
#[async_trait]
pub trait Start: Send + Sync {
    /// Does it; broken off where it waits when the service closes.
    async fn start(&self, records: &Records);
}

/// Everything that is under way; cheap to clone.
#[derive(Clone)]
pub(crate) struct Background {
    places: Arc<Semaphore>,
    starts: Arc<Mutex<JoinSet<()>>>,
}

impl Default for Background {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(FINISHING_MAX as usize)), starts: Arc::default() }
    }
}

impl Background {
    /// Begins what a service does once it is open.
    pub(crate) fn start(&self, start: Arc<dyn Start>, records: Records) {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.spawn(async move { start.start(&records).await });
    }

    /// Breaks off what was begun at the start, and waits for what must be finished.
    pub(crate) async fn close(&self) {
        let mut starts = std::mem::take(&mut *self.starts.lock().unwrap_or_else(PoisonError::into_inner));
        starts.shutdown().await;
        drop(self.places.acquire_many(FINISHING_MAX).await);
        self.places.close();
    }
}

impl Records {
    /// Does this work to its end, even if nobody waits for it any more; the service closes after it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the service is ending, [`Error::Store`] if the work panicked.
    pub async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.background.places).acquire_owned().await;
        let place = place.map_err(|_| Error::Unavailable("The service is ending; try again."))?;
        // Joined by its place, which `Background::close` waits for.
        let task = tokio::spawn(async move {
            let outcome = work.await;
            drop(place);
            outcome
        });
        task.await.map_err(|error| StoreError::corrupt(format!("work was not finished: {error}")).into())
    }
}
