//! One piece of work on a storage thread, from its closure to its answer.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use buildly_model::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

/// What a storage thread receives.
pub(super) enum Message {
    /// Something to do.
    Job(Box<dyn Job>),
    /// Finish what is queued, then end.
    Close,
}

/// Work of any result type.
pub(super) trait Job: Send {
    /// Runs the work and keeps its outcome; true if it is to be committed.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Turns the outcome into "not available", unless the work itself refused.
    fn fail(&mut self, reason: &str);
    /// Tells the caller.
    fn answer(self: Box<Self>);
}

/// A closure, then its outcome.
pub(super) struct Work<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work<T, F> {
    pub(super) const fn new(work: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { work: Some(work), outcome: None, answer }
    }
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let Some(work) = self.work.take() else { return false };
        // Whatever the closure had in hands is dropped, and its savepoint is rolled back.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(connection))).unwrap_or_else(|panic| {
            let message = panic_message(&*panic);
            tracing::error!(message, "a program error in the storage");
            Err(StoreError::corrupt(format!("a program error in the storage: {message}")))
        });
        let kept = outcome.is_ok();
        self.outcome = Some(outcome);
        kept
    }

    fn fail(&mut self, reason: &str) {
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(super::unavailable(reason)));
        }
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // A caller that has gone away needs no answer.
            drop(self.answer.send(outcome));
        }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
