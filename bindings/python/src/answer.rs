//! Requests through the gateway, and their answers as they come.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use buildly_core::Buildly;
use buildly_core::gateway::traffic::forwarded::Peer;
use buildly_model::Body;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::waiting::{Pending, begin, wait};

/// The host of requests that name none.
const OWN_HOST: HeaderValue = HeaderValue::from_static("buildly.localhost");

/// The names and values of header fields, as they travel.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What somebody asks of the gateway.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Fields,
    pub(crate) body: Bytes,
    /// Where the request came from, and whether safely, if it came over a network.
    pub(crate) peer: Option<(String, u16, bool)>,
    /// How long the head of the answer may take.
    pub(crate) timeout: Option<Duration>,
}

impl Asked {
    fn into_request(self) -> Result<Request<Body>, Failure> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| Failure::field("method", format!("`{}` is no HTTP method", self.method)))?;
        let expected =
            "expected a path that begins with `/`, percent-encoded, such as `/crm/contact/?limit=5`";
        let uri: Uri = self.target.parse().map_err(|_| Failure::field("path", expected))?;
        if !self.target.starts_with('/') {
            return Err(Failure::field("path", expected));
        }
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        for (name, value) in self.fields {
            let refused = || {
                let name = String::from_utf8_lossy(&name).into_owned();
                Failure::field("headers", format!("`{name}` is no header field that can be sent"))
            };
            let name = HeaderName::from_bytes(&name).map_err(|_| refused())?;
            let value = HeaderValue::from_bytes(&value).map_err(|_| refused())?;
            request.headers_mut().append(name, value);
        }
        // Whoever asks in this process names no host, which HTTP wants one of.
        request.headers_mut().entry(HOST).or_insert(OWN_HOST);
        if let Some((address, port, is_secure)) = self.peer
            && let Ok(address) = address.parse()
        {
            request.extensions_mut().insert(Peer { address: SocketAddr::new(address, port), is_secure });
        }
        Ok(request)
    }
}

/// Sends a request through the gateway and reads the head of the answer.
pub(crate) async fn ask(buildly: Buildly, asked: Asked) -> Result<Response<Body>, Failure> {
    let timeout = asked.timeout;
    let answer = buildly.handle(asked.into_request()?);
    let Some(timeout) = timeout else { return Ok(answer.await) };
    tokio::time::timeout(timeout, answer).await.map_err(|_| {
        Failure::unavailable(format!("no answer within {} s, as asked for", timeout.as_secs_f64()))
    })
}

/// As [`ask`], with the whole body, at most `bytes_max` of it.
pub(crate) async fn ask_for_all(
    buildly: Buildly,
    asked: Asked,
    bytes_max: usize,
) -> Result<(u16, Fields, Bytes), Failure> {
    let (head, mut body) = ask(buildly, asked).await?.into_parts();
    let mut all = Vec::new();
    while let Some(chunk) = next_chunk(&mut body).await? {
        if all.len() + chunk.len() > bytes_max {
            return Err(Failure::limited(format!(
                "the answer is larger than {bytes_max} bytes: ask for less, or raise `body_max`"
            )));
        }
        all.extend_from_slice(&chunk);
    }
    Ok((head.status.as_u16(), fields_of(&head.headers), all.into()))
}

async fn next_chunk(body: &mut Body) -> Result<Option<Bytes>, Failure> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::unavailable(format!("the answer broke off: {error}")))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn fields_of(headers: &http::HeaderMap) -> Fields {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

/// Header fields as Python has them.
pub(crate) fn rendered<'py>(
    python: Python<'py>,
    fields: &Fields,
) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    fields.iter().map(|(name, value)| (PyBytes::new(python, name), PyBytes::new(python, value))).collect()
}

/// An answer whose body is still to come.
#[pyclass(frozen, module = "buildly._native")]
pub(crate) struct Answer {
    /// The status.
    #[pyo3(get)]
    status: u16,
    fields: Fields,
    body: Arc<Mutex<Body>>,
    runtime: Handle,
}

impl Answer {
    pub(crate) fn new(response: Response<Body>, runtime: Handle) -> Self {
        let (head, body) = response.into_parts();
        let (status, fields) = (head.status.as_u16(), fields_of(&head.headers));
        Self { status, fields, body: Arc::new(Mutex::new(body)), runtime }
    }

    async fn next(body: Arc<Mutex<Body>>) -> Result<Option<Bytes>, Failure> {
        let mut body = pin!(body.lock_owned()).await;
        next_chunk(&mut body).await
    }
}

#[pymethods]
impl Answer {
    /// The header fields, as they travel.
    #[getter]
    fn fields<'py>(&self, python: Python<'py>) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        rendered(python, &self.fields)
    }

    /// The next piece of the body; `None` at its end.
    fn read<'py>(&self, python: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let chunk = wait(python, &self.runtime, Self::next(Arc::clone(&self.body)))?;
        Ok(chunk.map(|chunk| PyBytes::new(python, &chunk)))
    }

    /// As `read`; tells `done`.
    fn begin_read(&self, done: Py<PyAny>) -> Pending {
        begin(&self.runtime, done, Self::next(Arc::clone(&self.body)), |python, chunk| {
            Ok(chunk.map_or_else(|| python.None(), |chunk| PyBytes::new(python, &chunk).into_any().unbind()))
        })
    }
}
