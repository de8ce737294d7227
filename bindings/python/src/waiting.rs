//! Waiting for the runtime: a thread of Python's without the interpreter's lock, or an event loop
//! that is told.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use pyo3::prelude::*;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinError};

use crate::failure::Failure;

/// How soon a waiting main thread notices `Ctrl-C`.
const SIGNALS_INTERVAL: Duration = Duration::from_millis(100);

/// Performs something on the runtime while this thread waits for it, without the interpreter's
/// lock. `Ctrl-C` ends the waiting and what was waited for.
pub(crate) fn wait<T: Send + 'static>(
    python: Python<'_>,
    runtime: &Handle,
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> PyResult<T> {
    let (sender, mut receiver) = sync_channel(1);
    let working = runtime.spawn(work);
    let task = working.abort_handle();
    runtime.spawn(async move {
        let done = working.await.unwrap_or_else(|lost| Err(failure_of(&lost)));
        // Nobody listens any more after `Ctrl-C`.
        let _ = sender.send(done);
    });
    loop {
        let received;
        (receiver, received) = python.detach(move || receive(receiver));
        match received {
            Ok(done) => return done.map_err(|failure| failure.into_exception(python)),
            Err(RecvTimeoutError::Timeout) => {
                if let Err(interrupt) = python.check_signals() {
                    task.abort();
                    return Err(interrupt);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::closed().into_exception(python)),
        }
    }
}

fn receive<T>(receiver: Receiver<T>) -> (Receiver<T>, Result<T, RecvTimeoutError>) {
    let received = receiver.recv_timeout(SIGNALS_INTERVAL);
    (receiver, received)
}

/// Why a task is gone without an answer: it was closed under it, or has a fault of ours.
fn failure_of(lost: &JoinError) -> Failure {
    if lost.is_panic() {
        Failure::broken("something is broken here; what was printed says what")
    } else {
        Failure::closed()
    }
}

/// Begins something on the runtime; `done` is called with its result, or with `None` and an
/// exception, on a thread of the runtime.
pub(crate) fn begin<T: Send + 'static>(
    runtime: &Handle,
    done: Py<PyAny>,
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    render: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> Pending {
    let answered = runtime.spawn(work);
    let abort = answered.abort_handle();
    // Not on a thread that drives tasks: it waits for the interpreter's lock.
    let blocking = runtime.clone();
    runtime.spawn(async move {
        let answered = answered.await;
        let told = blocking.spawn_blocking(move || {
            // An interpreter that is ending listens no more.
            Python::try_attach(|python| {
                let answered = answered.unwrap_or_else(|lost| Err(failure_of(&lost)));
                let told = match answered.map_err(|failure| failure.into_exception(python)) {
                    Ok(value) => {
                        render(python, value).and_then(|value| done.call1(python, (value, python.None())))
                    }
                    Err(error) => done.call1(python, (python.None(), error)),
                };
                if let Err(error) = told {
                    error.write_unraisable(python, Some(done.bind(python)));
                }
            })
        });
        // An interpreter that is ending has nobody to be told.
        let _ = told.await;
    });
    Pending { abort }
}

/// Something that was begun.
#[pyclass(frozen, module = "buildly._native")]
pub(crate) struct Pending {
    abort: AbortHandle,
}

#[pymethods]
impl Pending {
    /// Ends it, if it still goes on.
    fn cancel(&self) {
        self.abort.abort();
    }
}
