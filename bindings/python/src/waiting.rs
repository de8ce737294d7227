//! Waiting for work: a thread of Python's without the interpreter's lock, or an event loop that
//! is told.

use buildly_deployment::{Ending, Work};
use pyo3::prelude::*;

use crate::failure::{Raise as _, exception};

/// Waits without the interpreter's lock. `Ctrl-C` ends the waiting, and the work.
pub(crate) fn wait<T: Send + 'static>(python: Python<'_>, work: Work<T>) -> PyResult<T> {
    python.detach(|| work.wait_unless(interrupted))?.or_raise(python)
}

/// Whether there was a `Ctrl-C`; only the main thread is told.
pub(crate) fn interrupted() -> PyResult<()> {
    Python::attach(|python| python.check_signals())
}

/// Begins work; `done` is called with its result, or with `None` and an exception, on a thread of
/// the deployment's.
pub(crate) fn begin<T: Send + 'static>(
    work: Work<T>,
    done: Py<PyAny>,
    render: impl FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static,
) -> Pending {
    let ending = work.then(move |answered| {
        // An interpreter that is ending listens no more.
        Python::try_attach(|python| {
            let told = match answered {
                Ok(value) => {
                    render(python, value).and_then(|value| done.call1(python, (value, python.None())))
                }
                Err(failure) => done.call1(python, (python.None(), exception(python, &failure))),
            };
            if let Err(error) = told {
                error.write_unraisable(python, Some(done.bind(python)));
            }
        });
    });
    Pending { ending }
}

/// Something that was begun.
#[pyclass(frozen, module = "buildly._native")]
pub(crate) struct Pending {
    ending: Ending,
}

#[pymethods]
impl Pending {
    /// Ends it, if it still goes on.
    fn cancel(&self) {
        self.ending.end();
    }
}
