//! Work for the threads of a deployment, and the ways of waiting for it.

use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::failure::Failure;

/// How often whoever waits is asked whether to go on.
const ASKING_INTERVAL: Duration = Duration::from_millis(100);

/// Work for the threads of a deployment. It begins when somebody waits for it.
#[must_use = "nothing is done until somebody waits for it"]
pub struct Work<T> {
    runtime: Handle,
    work: Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>,
}

impl<T: Send + 'static> Work<T> {
    pub(crate) fn new(
        runtime: &Handle,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Self {
        Self { runtime: runtime.clone(), work: Box::pin(work) }
    }

    /// Waits for it on this thread, which may be one of another async runtime.
    ///
    /// # Errors
    /// What has gone wrong; [`Failure::closed`] if the deployment was closed meanwhile.
    pub fn wait(self) -> Result<T, Failure> {
        let (receiver, _) = self.begin();
        // Somebody always sends: see `Listener`.
        receiver.recv().unwrap_or_else(|_| Err(Failure::closed()))
    }

    /// As [`Self::wait`], but asks ten times a second whether to go on.
    ///
    /// # Errors
    /// What `interrupted` says, and the work is ended.
    pub fn wait_unless<E>(
        self,
        mut interrupted: impl FnMut() -> Result<(), E>,
    ) -> Result<Result<T, Failure>, E> {
        let (receiver, ending) = self.begin();
        loop {
            match receiver.recv_timeout(ASKING_INTERVAL) {
                Ok(done) => return Ok(done),
                Err(RecvTimeoutError::Disconnected) => return Ok(Err(Failure::closed())),
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(interrupt) = interrupted() {
                        ending.end();
                        return Err(interrupt);
                    }
                }
            }
        }
    }

    /// Tells `done` what has come of it, exactly once and on a thread that may wait.
    pub fn then(self, done: impl FnOnce(Result<T, Failure>) + Send + 'static) -> Ending {
        let (listener, blocking) = (Listener::new(done), self.runtime.clone());
        let worked = self.work;
        let task = self.runtime.spawn(async move {
            let done = Unfinished(Some(listener));
            let worked = worked.await;
            if let Some(listener) = done.finished() {
                // Not on a thread that drives tasks: it waits for the host.
                blocking.spawn_blocking(move || listener.tell(worked));
            }
        });
        Ending(task.abort_handle())
    }

    fn begin(self) -> (Receiver<Result<T, Failure>>, Ending) {
        let (sender, receiver) = sync_channel(1);
        let listener = Listener::new(move |done| {
            // Nobody listens any more after an interrupt.
            let _ = sender.send(done);
        });
        let worked = self.work;
        let task = self.runtime.spawn(async move {
            let done = Unfinished(Some(listener));
            let worked = worked.await;
            if let Some(listener) = done.finished() {
                listener.tell(worked);
            }
        });
        (receiver, Ending(task.abort_handle()))
    }
}

/// Ends work that was begun.
#[derive(Debug)]
pub struct Ending(AbortHandle);

impl Ending {
    /// Ends it, if it still goes on.
    pub fn end(&self) {
        self.0.abort();
    }
}

type Told<T> = Box<dyn FnOnce(Result<T, Failure>) + Send>;

/// Who is told. Dropped untold, as when the runtime ends, it is told that the deployment is closed.
struct Listener<T>(Option<Told<T>>);

impl<T> Listener<T> {
    fn new(done: impl FnOnce(Result<T, Failure>) + Send + 'static) -> Self {
        Self(Some(Box::new(done)))
    }

    fn tell(mut self, done: Result<T, Failure>) {
        if let Some(listener) = self.0.take() {
            listener(done);
        }
    }
}

impl<T> Drop for Listener<T> {
    fn drop(&mut self) {
        if let Some(listener) = self.0.take() {
            listener(Err(Failure::closed()));
        }
    }
}

/// Who is told of work that is not finished: a fault of ours, if it panics.
struct Unfinished<T>(Option<Listener<T>>);

impl<T> Unfinished<T> {
    fn finished(mut self) -> Option<Listener<T>> {
        self.0.take()
    }
}

impl<T> Drop for Unfinished<T> {
    fn drop(&mut self) {
        if thread::panicking()
            && let Some(listener) = self.0.take()
        {
            listener.tell(Err(Failure::broken("something is broken here; what was printed says what")));
        }
    }
}

#[cfg(test)]
mod tests;
