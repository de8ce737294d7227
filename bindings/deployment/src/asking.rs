//! Requests through the gateway, and their whole answers.

use std::time::Duration;

use buildly_core::Buildly;
use buildly_model::Body;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;

use crate::failure::Failure;

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
    /// How long the whole answer may take.
    pub timeout: Option<Duration>,
    /// The most bytes of the answer's body; [`BODY_BYTES_MAX`] is a good choice.
    pub answer_bytes_max: usize,
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
pub(crate) async fn ask(buildly: Buildly, asked: Asked) -> Result<Answered, Failure> {
    let (timeout, bytes_max) = (asked.timeout, asked.answer_bytes_max);
    let request = asked.into_request()?;
    let answering = async { read(buildly.handle(request).await, bytes_max).await };
    let Some(timeout) = timeout else { return answering.await };
    tokio::time::timeout(timeout, answering).await.unwrap_or_else(|_| {
        Err(Failure::unavailable(format!("no answer within {} s, as asked for", timeout.as_secs_f64())))
    })
}

async fn read(response: Response<Body>, bytes_max: usize) -> Result<Answered, Failure> {
    let (head, mut body) = response.into_parts();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::unavailable(format!("the answer broke off: {error}")))?;
        let Ok(chunk) = frame.into_data() else { continue };
        if chunk.len() > bytes_max.saturating_sub(all.len()) {
            return Err(Failure::limited(format!(
                "the answer is larger than {bytes_max} bytes: ask for less"
            )));
        }
        all.extend_from_slice(&chunk);
    }
    Ok(Answered { status: head.status.as_u16(), fields: fields_of(&head.headers), body: all.into() })
}
