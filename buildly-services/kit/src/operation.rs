//! What a service does beyond keeping records: operations of its own under its record types.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_model::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use utoipa::openapi::path::Operation as Document;
use uuid::Uuid;

use crate::{Caller, Error, Records, query};

/// How long the whole of a small body may take.
const BODY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// The longest body that is read into memory.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;
/// How much of a body that is too large is read before the connection closes.
const DRAINED_BYTES_MAX: usize = 8 << 20;

/// One request on its way to an operation.
#[derive(Debug)]
pub struct Call {
    /// Who asks.
    pub caller: Caller,
    /// The method.
    pub method: Method,
    /// The path, for links.
    pub path: String,
    /// The query, still encoded.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, still to be read.
    pub body: Body,
    /// The `{id}` of the path.
    pub id: Option<Uuid>,
}

impl Call {
    /// The `{id}` of the path.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the path has none.
    pub fn id(&self) -> Result<Uuid, Error> {
        self.id.ok_or(Error::NotFound { what: "record" })
    }

    /// The query, taken apart.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is not percent-encoded UTF-8.
    pub fn parameters(&self) -> Result<Vec<(String, String)>, Error> {
        query::parse(self.query.as_deref().unwrap_or_default())
            .ok_or_else(|| Error::field("query", "Expected percent-encoded UTF-8."))
    }

    /// Reads the body, if it is small and comes in time.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::TooSlow`], [`Error::Malformed`] if it breaks off.
    pub(crate) async fn read_body(&mut self) -> Result<Bytes, Error> {
        let body = std::mem::replace(&mut self.body, Body::empty());
        tokio::time::timeout(BODY_TIMEOUT, read(body)).await.map_err(|_| Error::TooSlow)?
    }
}

/// Reads a small body. Of one that is too large some more is read and thrown away: a client
/// that is still sending when the connection closes would not see the answer.
async fn read(mut body: Body) -> Result<Bytes, Error> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Error::Malformed("The body broke off.".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&data);
        } else if length > DRAINED_BYTES_MAX {
            break;
        }
    }
    if length <= BODY_BYTES_MAX {
        Ok(bytes.into())
    } else {
        Err(Error::TooLarge { bytes_max: BODY_BYTES_MAX as u64 })
    }
}

/// The announced length of the body.
#[must_use]
pub fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Does what one method of one path is for.
#[async_trait]
pub trait Operation: Send + Sync {
    /// Answers a call; the caller has been checked, the organization is in it.
    ///
    /// # Errors
    /// Whatever it refuses.
    async fn answer(&self, records: &Records, call: Call) -> Result<Response<Body>, Error>;
}

/// Where an operation is found, and what the OpenAPI document says about it.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) document: Document,
    pub(crate) operation: Arc<dyn Operation>,
}

/// An answer with JSON.
#[must_use]
pub fn json(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
