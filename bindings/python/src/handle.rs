//! A deployment that Python has opened.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use buildly_core::{Buildly, Settings};
use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyString};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::answer::{Answer, Asked, Fields, ask, ask_for_all, rendered};
use crate::failure::Failure;
use crate::operation;
use crate::service::PythonService;
use crate::waiting::{Pending, begin, wait};

/// How long closing waits for what is under way, and then for threads of Python's functions.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
const THREADS_TIMEOUT: Duration = Duration::from_millis(500);

/// The names of all operations, in order.
#[pyfunction]
pub(crate) fn operations() -> Vec<&'static str> {
    operation::NAMES.to_vec()
}

/// A deployment with the threads that work for it. Any number of threads may use it at once.
#[pyclass(frozen, module = "buildly._native")]
pub(crate) struct Deployment {
    /// Who opened it: threads do not survive a fork.
    process: u32,
    live: Mutex<Option<Live>>,
}

struct Live {
    buildly: Buildly,
    runtime: Runtime,
}

impl Deployment {
    fn live(&self, python: Python<'_>) -> PyResult<(Buildly, Handle)> {
        let found = self.find();
        found.map_err(|failure| failure.into_exception(python))
    }

    fn find(&self) -> Result<(Buildly, Handle), Failure> {
        self.check_process()?;
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let live = live.as_ref().ok_or_else(Failure::closed)?;
        Ok((live.buildly.clone(), live.runtime.handle().clone()))
    }

    fn check_process(&self) -> Result<(), Failure> {
        if self.process == std::process::id() { Ok(()) } else { Err(Failure::forked(self.process)) }
    }

    fn take(&self) -> Option<Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Live {
    fn close(self) {
        let Self { buildly, runtime } = self;
        let closed = runtime.block_on(async { tokio::time::timeout(CLOSE_TIMEOUT, buildly.close()).await });
        if closed.is_err() {
            tracing::warn!("the time for an orderly end is over; what was acknowledged is on disk");
        }
        drop(buildly);
        // A function that never returns keeps its thread, and nobody waits for it.
        runtime.shutdown_timeout(THREADS_TIMEOUT);
    }
}

#[pymethods]
impl Deployment {
    /// Opens the data folder at `path`; makes it if there is none.
    #[new]
    #[pyo3(signature = (path, public_url, works_for_runs, threads))]
    fn open(
        python: Python<'_>,
        path: std::path::PathBuf,
        public_url: Option<String>,
        works_for_runs: bool,
        threads: usize,
    ) -> PyResult<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.clamp(1, 64))
            .thread_name("buildly")
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::unavailable(format!("threads cannot be started: {error}")).into_exception(python)
            })?;
        let settings = Settings { public_url, works_for_runs, ..Settings::default() };
        let opening = async move { Ok(Buildly::builder().folder(path).settings(settings).build().await?) };
        let buildly = wait(python, runtime.handle(), opening)?;
        Ok(Self { process: std::process::id(), live: Mutex::new(Some(Live { buildly, runtime })) })
    }

    /// Performs an operation; arguments and answer are JSON.
    fn call(&self, python: Python<'_>, operation: String, arguments: String) -> PyResult<String> {
        let (buildly, runtime) = self.live(python)?;
        wait(python, &runtime, operation::perform(buildly, operation, arguments))
    }

    /// As `call`; tells `done`.
    fn begin_call(
        &self,
        python: Python<'_>,
        operation: String,
        arguments: String,
        done: Py<PyAny>,
    ) -> PyResult<Pending> {
        let (buildly, runtime) = self.live(python)?;
        let work = operation::perform(buildly, operation, arguments);
        Ok(begin(&runtime, done, work, |python, answer| {
            Ok(PyString::new(python, &answer).into_any().unbind())
        }))
    }

    /// Sends a request through the gateway and reads the whole answer.
    #[expect(clippy::too_many_arguments, reason = "what a request consists of")]
    #[expect(clippy::type_complexity, reason = "a tuple as Python unpacks it")]
    fn request<'py>(
        &self,
        python: Python<'py>,
        method: String,
        target: String,
        fields: Fields,
        body: PyBackedBytes,
        timeout: Option<f64>,
        body_max: usize,
    ) -> PyResult<(u16, Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>, Bound<'py, PyBytes>)> {
        let (buildly, runtime) = self.live(python)?;
        let timeout = seconds(timeout).map_err(|failure| failure.into_exception(python))?;
        let asked = Asked { method, target, fields, body: Bytes::from_owner(body), peer: None, timeout };
        let (status, fields, body) = wait(python, &runtime, ask_for_all(buildly, asked, body_max))?;
        Ok((status, rendered(python, &fields), PyBytes::new(python, &body)))
    }

    /// Sends a request through the gateway; tells `done` the answer, whose body is still to come.
    #[expect(clippy::too_many_arguments, reason = "what a request consists of")]
    fn begin_request(
        &self,
        python: Python<'_>,
        method: String,
        target: String,
        fields: Fields,
        body: PyBackedBytes,
        timeout: Option<f64>,
        peer: Option<(String, u16, bool)>,
        done: Py<PyAny>,
    ) -> PyResult<Pending> {
        let (buildly, runtime) = self.live(python)?;
        let timeout = seconds(timeout).map_err(|failure| failure.into_exception(python))?;
        let asked = Asked { method, target, fields, body: Bytes::from_owner(body), peer, timeout };
        let answering = runtime.clone();
        Ok(begin(&runtime, done, ask(buildly, asked), move |python, response| {
            Ok(Py::new(python, Answer::new(response, answering))?.into_any())
        }))
    }

    /// Answers calls of the service `name` with `function`; gives the URL to register it by.
    fn attach(
        &self,
        python: Python<'_>,
        name: String,
        function: Py<PyAny>,
        document: String,
    ) -> PyResult<String> {
        let (buildly, _) = self.live(python)?;
        let authority = PythonService::authority(&name);
        buildly.attach_service(&authority, Arc::new(PythonService::new(name, function, document)));
        Ok(format!("http://{authority}"))
    }

    /// Ends all work; what was acknowledged is on disk. Closing again does nothing.
    fn close(&self, python: Python<'_>) -> PyResult<()> {
        self.check_process().map_err(|failure| failure.into_exception(python))?;
        if let Some(live) = self.take() {
            python.detach(|| live.close());
        }
        Ok(())
    }

    /// Whether it is open, in this process.
    #[getter]
    fn is_open(&self) -> bool {
        self.find().is_ok()
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let Some(live) = self.take() else { return };
        if self.process != std::process::id() {
            // Its threads are the parent's: whoever waits for them here waits for ever.
            std::mem::forget(live);
            return;
        }
        // Whoever drops it holds the interpreter's lock, which functions may wait for.
        let closed = std::thread::Builder::new().name("buildly-close".to_owned()).spawn(|| live.close());
        if closed.is_err() {
            tracing::warn!("a deployment could not be closed in order; what was acknowledged is on disk");
        }
    }
}

fn seconds(timeout: Option<f64>) -> Result<Option<Duration>, Failure> {
    let Some(seconds) = timeout else { return Ok(None) };
    let duration = Duration::try_from_secs_f64(seconds);
    duration.map(Some).map_err(|_| Failure::field("timeout", "expected a number of seconds, 0 or more"))
}
