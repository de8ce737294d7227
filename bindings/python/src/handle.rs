//! A deployment that Python has opened.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use buildly_deployment::{
    Asked, BodyMax, Deployment as Opened, Failure, Fields, Opening, Peer, Work, operation,
};
use buildly_model::Secret;
use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyString};

use crate::answer::{Answer, rendered};
use crate::failure::Raise as _;
use crate::service::PythonFunction;
use crate::waiting::{Pending, begin, interrupted, wait};

/// The names of all operations, in order.
#[pyfunction]
pub(crate) fn operations() -> Vec<&'static str> {
    operation::NAMES.to_vec()
}

/// A deployment with the threads that work for it. Any number of threads may use it at once.
#[pyclass(frozen, module = "buildly._native")]
pub(crate) struct Deployment {
    /// There until it is dropped.
    opened: Option<Opened>,
}

impl Deployment {
    fn opened(&self) -> Result<&Opened, Failure> {
        self.opened.as_ref().ok_or_else(Failure::closed)
    }

    fn call_work(&self, operation: String, arguments: String) -> Result<Work<String>, Failure> {
        self.opened()?.call(operation, arguments)
    }
}

#[pymethods]
impl Deployment {
    /// Opens the data folder at `path`; makes it if there is none.
    #[new]
    #[pyo3(signature = (
        path,
        public_url,
        works_for_runs,
        threads,
        database_url=None,
        database_schema=None,
        deployment_key=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "what can be said about opening one")]
    fn open(
        python: Python<'_>,
        path: PathBuf,
        public_url: Option<String>,
        works_for_runs: bool,
        threads: usize,
        database_url: Option<String>,
        database_schema: Option<String>,
        deployment_key: Option<String>,
    ) -> PyResult<Self> {
        let (database_url, deployment_key) = (database_url.map(Secret::new), deployment_key.map(Secret::new));
        let opening =
            Opening { public_url, works_for_runs, threads, database_url, database_schema, deployment_key };
        let opened = python.detach(|| Opened::open_unless(Some(&path), opening, interrupted))?;
        Ok(Self { opened: Some(opened.or_raise(python)?) })
    }

    /// Performs an operation; arguments and answer are JSON.
    fn call(&self, python: Python<'_>, operation: String, arguments: String) -> PyResult<String> {
        wait(python, self.call_work(operation, arguments).or_raise(python)?)
    }

    /// As `call`; tells `done`.
    fn begin_call(
        &self,
        python: Python<'_>,
        operation: String,
        arguments: String,
        done: Py<PyAny>,
    ) -> PyResult<Pending> {
        let work = self.call_work(operation, arguments).or_raise(python)?;
        Ok(begin(work, done, |python, answer| Ok(PyString::new(python, &answer).into_any().unbind())))
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
        let timeout = seconds(timeout).or_raise(python)?;
        let asked = Asked { method, target, fields, body: Bytes::from_owner(body), peer: None, timeout };
        let most = BodyMax { bytes: body_max, advice: "ask for less, or raise `body_max`" };
        let work = self.opened().and_then(|opened| opened.request(asked, most)).or_raise(python)?;
        let answered = wait(python, work)?;
        Ok((answered.status, rendered(python, &answered.fields), PyBytes::new(python, &answered.body)))
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
        let timeout = seconds(timeout).or_raise(python)?;
        let peer = peer.and_then(peer_of);
        let asked = Asked { method, target, fields, body: Bytes::from_owner(body), peer, timeout };
        let work = self.opened().and_then(|opened| opened.stream(asked)).or_raise(python)?;
        Ok(begin(work, done, |python, coming| Ok(Py::new(python, Answer { coming })?.into_any())))
    }

    /// Answers calls of the service `name` with `function`; gives the URL to register it by.
    fn attach(
        &self,
        python: Python<'_>,
        name: String,
        function: Py<PyAny>,
        document: String,
    ) -> PyResult<String> {
        let function = Arc::new(PythonFunction(function));
        // As long as the gateway gives any service: its policies decide.
        self.opened().and_then(|opened| opened.attach(&name, document, None, function)).or_raise(python)
    }

    /// Ends all work; what was acknowledged is on disk. Closing again does nothing.
    fn close(&self, python: Python<'_>) -> PyResult<()> {
        let Some(opened) = &self.opened else { return Ok(()) };
        python.detach(|| opened.close()).or_raise(python)
    }

    /// Whether it is open, in this process.
    #[getter]
    fn is_open(&self) -> bool {
        self.opened.as_ref().is_some_and(Opened::is_open)
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // Closed, or of another process: dropping it waits for nothing.
        let Some(opened) = self.opened.take().filter(Opened::is_open) else { return };
        // Whoever drops it holds the interpreter's lock, which functions may wait for.
        let closed = std::thread::Builder::new().name("buildly-close".to_owned()).spawn(|| drop(opened));
        if closed.is_err() {
            tracing::warn!("a deployment could not be closed in order; what was acknowledged is on disk");
        }
    }
}

/// Where a request came from; a socket in the file system, as some servers have, is nowhere.
fn peer_of((address, port, is_secure): (String, u16, bool)) -> Option<Peer> {
    let address: IpAddr = address.parse().ok()?;
    Some(Peer { address: SocketAddr::new(address, port), is_secure })
}

fn seconds(timeout: Option<f64>) -> Result<Option<Duration>, Failure> {
    let Some(seconds) = timeout else { return Ok(None) };
    let duration = Duration::try_from_secs_f64(seconds);
    duration.map(Some).map_err(|_| Failure::field("timeout", "expected a number of seconds, 0 or more"))
}
