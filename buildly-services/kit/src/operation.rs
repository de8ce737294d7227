//! What a service does beyond keeping records: operations of its own under its record types.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_model::Body;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;
use utoipa::openapi::path::Operation as Document;
use uuid::Uuid;

use crate::{Caller, Error, Records};

/// How long the whole of a small body may take.
const BODY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
/// The longest body that is read into memory.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;

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

    /// Reads the body, if it is small and comes in time.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::TooSlow`], [`Error::Malformed`] if it breaks off.
    pub(crate) async fn read_body(&mut self) -> Result<Bytes, Error> {
        const TOO_LARGE: Error = Error::TooLarge { bytes_max: BODY_BYTES_MAX as u64 };
        if content_length(&self.headers).is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64) {
            return Err(TOO_LARGE);
        }
        let body = std::mem::replace(&mut self.body, Body::empty());
        match tokio::time::timeout(BODY_TIMEOUT, body.collect(BODY_BYTES_MAX)).await {
            Err(_) => Err(Error::TooSlow),
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(TOO_LARGE),
            Ok(Err(_)) => Err(Error::Malformed("The body broke off.".to_owned())),
        }
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
