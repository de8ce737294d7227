//! Turns: of those who want the same, a few have it at once, and not too many wait.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Error;

/// Gives out turns, in the order in which they are asked for.
#[derive(Debug)]
pub(crate) struct Turns {
    at_work: Semaphore,
    all: Semaphore,
}

/// A turn; it ends when it is dropped.
#[derive(Debug)]
#[must_use = "a turn that is dropped has ended"]
pub(crate) struct Turn<'a> {
    _at_work: SemaphorePermit<'a>,
    _one_of_all: SemaphorePermit<'a>,
}

impl Turns {
    /// So many at work at once, and so many at work or waiting.
    pub(crate) fn new(at_work_max: usize, all_max: usize) -> Self {
        Self { at_work: Semaphore::new(at_work_max), all: Semaphore::new(all_max) }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many wait.
    pub(crate) async fn wait(&self) -> Result<Turn<'_>, Error> {
        let one_of_all = self.all.try_acquire().map_err(|_| Error::Busy)?;
        let at_work = self.at_work.acquire().await.map_err(|_| Error::Busy)?;
        Ok(Turn { _at_work: at_work, _one_of_all: one_of_all })
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn a_few_are_at_work_and_not_too_many_wait() {
        let turns = Turns::new(1, 2);
        let first = turns.wait().await.expect("nobody else is there");
        let mut second = pin!(turns.wait());
        let mut context = Context::from_waker(Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(matches!(turns.wait().await, Err(Error::Busy)), "a third would be too many");
        drop(first);
        assert!(second.await.is_ok());
    }
}
