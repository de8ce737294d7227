//! Requests through the gateway, and their answers: whole, or as they come.

use std::sync::Arc;
use std::time::Duration;

use buildly_core::Buildly;
use buildly_core::gateway::traffic::forwarded::Peer;
use buildly_model::Body;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::work::Work;

/// The most bytes of an answer that are read, unless somebody says another number.
pub const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The host of requests that name none.
const OWN_HOST: HeaderValue = HeaderValue::from_static("buildly.localhost");

/// The names and values of header fields, as they travel.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What somebody asks of the gateway.
#[derive(Debug, Default)]
pub struct Asked {
    /// Such as `GET`.
    pub method: String,
    /// Path and query, percent-encoded.
    pub target: String,
    /// The header fields.
    pub fields: Fields,
    /// The body.
    pub body: Bytes,
    /// Where the request came from, if it came over a network.
    pub peer: Option<Peer>,
    /// How long the answer may take: all of it, or its head where the body is read as it comes.
    pub timeout: Option<Duration>,
}

/// The most bytes of an answer's body.
#[derive(Debug, Clone, Copy)]
pub struct BodyMax {
    /// How many.
    pub bytes: usize,
    /// What to do if that is too little, such as ``ask for less``.
    pub advice: &'static str,
}

impl Default for BodyMax {
    fn default() -> Self {
        Self { bytes: BODY_BYTES_MAX, advice: "ask for less" }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub fields: Fields,
    /// The body.
    pub body: Bytes,
}

/// An answer whose body is still to come.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub fields: Fields,
    body: Arc<Mutex<Body>>,
    runtime: Handle,
}

impl Answer {
    fn new(response: Response<Body>, runtime: Handle) -> Self {
        let (head, body) = response.into_parts();
        let (status, fields) = (head.status.as_u16(), fields_of(&head.headers));
        Self { status, fields, body: Arc::new(Mutex::new(body)), runtime }
    }

    /// Reads the next piece of the body; `None` at its end.
    pub fn read(&self) -> Work<Option<Bytes>> {
        let body = Arc::clone(&self.body);
        Work::new(&self.runtime, async move { next_chunk(&mut *body.lock().await).await })
    }
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
        append(request.headers_mut(), self.fields)
            .map_err(|name| Failure::field("headers", format!("`{name}` is no header that can be sent")))?;
        // Whoever asks in this process names no host, which HTTP wants one of.
        request.headers_mut().entry(HOST).or_insert(OWN_HOST);
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        Ok(request)
    }
}

/// Appends header fields.
///
/// # Errors
/// The name of the first one that cannot travel.
pub(crate) fn append(headers: &mut HeaderMap, fields: Fields) -> Result<(), String> {
    for (name, value) in fields {
        let refused = || String::from_utf8_lossy(&name).into_owned();
        let name = HeaderName::from_bytes(&name).map_err(|_| refused())?;
        let value = HeaderValue::from_bytes(&value).map_err(|_| name.as_str().to_owned())?;
        headers.append(name, value);
    }
    Ok(())
}

pub(crate) fn fields_of(headers: &HeaderMap) -> Fields {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

/// Sends a request through the gateway and reads the whole answer.
pub(crate) async fn ask(buildly: Buildly, asked: Asked, most: BodyMax) -> Result<Answered, Failure> {
    let timeout = asked.timeout;
    let request = asked.into_request()?;
    in_time(timeout, async { read(buildly.handle(request).await, most).await }).await
}

/// Sends a request through the gateway and reads the head of the answer.
pub(crate) async fn begin(buildly: Buildly, asked: Asked, runtime: Handle) -> Result<Answer, Failure> {
    let timeout = asked.timeout;
    let request = asked.into_request()?;
    in_time(timeout, async { Ok(Answer::new(buildly.handle(request).await, runtime)) }).await
}

async fn in_time<T>(
    timeout: Option<Duration>,
    answering: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(timeout) = timeout else { return answering.await };
    tokio::time::timeout(timeout, answering).await.unwrap_or_else(|_| {
        Err(Failure::unavailable(format!("no answer within {} s, as asked for", timeout.as_secs_f64())))
    })
}

async fn read(response: Response<Body>, most: BodyMax) -> Result<Answered, Failure> {
    let (head, mut body) = response.into_parts();
    let mut all = Vec::new();
    while let Some(chunk) = next_chunk(&mut body).await? {
        if chunk.len() > most.bytes.saturating_sub(all.len()) {
            let BodyMax { bytes, advice } = most;
            return Err(Failure::limited(format!("the answer is larger than {bytes} bytes: {advice}")));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(Answered { status: head.status.as_u16(), fields: fields_of(&head.headers), body: all.into() })
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
