//! A request, as a handler sees it: the head is parsed, the body is still to be read.

mod authorization;
pub(crate) mod body;
mod fields;
pub(crate) mod form;
mod query;

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use buildly_core::gateway::traffic::forwarded::Peer;
use buildly_model::{Body, FieldError};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Uri};

use crate::configuration::Configuration;
use crate::{Context, CorrelationId, Problem};

pub use authorization::Authorization;
pub use fields::Fields;
pub use query::Query;
pub(crate) use query::percent_decode;

/// A request, as a handler sees it.
#[derive(Debug)]
pub struct Request {
    head: Parts,
    /// Never locked; the lock only lets handlers share the request while they wait.
    body: Mutex<Body>,
    parameters: Vec<(String, String)>,
    query: Query,
    arrival: Arrival,
}

/// What the server knows of a request beside its bytes.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The far end of the connection; `None` for the Unix socket.
    pub peer: Option<Peer>,
    /// The id that ties together everything it causes.
    pub correlation: CorrelationId,
    /// The server that took it.
    pub context: Arc<Context>,
}

impl Request {
    /// Takes a request apart.
    ///
    /// # Errors
    /// 400 if the query is not percent-encoded UTF-8.
    pub fn new(
        request: http::Request<Body>,
        parameters: Vec<(String, String)>,
        arrival: Arrival,
    ) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        let query = Query::parse(head.uri.query().unwrap_or_default())?;
        Ok(Self { head, body: Mutex::new(body), parameters, query, arrival })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// The target as it came.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.head.uri
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header's first value, if it is readable text.
    #[must_use]
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The text of a path parameter, decoded; empty if the route has none of that name.
    #[must_use]
    pub fn path_text(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A path parameter as a value, such as an id.
    ///
    /// # Errors
    /// 404 if it cannot be one: then there is no such thing.
    pub fn path<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.path_text(name).parse().map_err(|_| Problem::not_found("Not found."))
    }

    /// The query's parameters.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// A query parameter as a value; `None` if absent or empty.
    ///
    /// # Errors
    /// 400 naming the parameter if it is something else.
    pub fn query_value<T: FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.query.first(name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let refused = || FieldError::new(name, format!("`{text}` is not a valid value of this parameter."));
        text.parse().map(Some).map_err(|_| refused().into())
    }

    /// The address of the other end of the connection; `None` on the Unix socket.
    #[must_use]
    pub fn peer(&self) -> Option<Peer> {
        self.arrival.peer
    }

    /// The client's address: what trusted proxies say, else the peer's.
    #[must_use]
    pub fn client_address(&self) -> Option<IpAddr> {
        let peer = self.arrival.peer?;
        Some(self.configuration().trust().client(&peer, &self.head.headers).address)
    }

    /// The id that ties together everything that this request causes.
    #[must_use]
    pub fn correlation(&self) -> &CorrelationId {
        &self.arrival.correlation
    }

    /// The server that took the request.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.arrival.context
    }

    /// The server's settings.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.arrival.context.configuration
    }

    /// What the caller shows as proof of who it is.
    ///
    /// # Errors
    /// 401 if the header is there but cannot be understood.
    pub fn authorization(&self) -> Result<Authorization, Problem> {
        Authorization::of(&self.head.headers)
    }

    /// The request as the gateway's data plane takes it.
    #[must_use]
    pub fn into_http(self) -> http::Request<Body> {
        let body = self.body.into_inner().unwrap_or_else(PoisonError::into_inner);
        http::Request::from_parts(self.head, body)
    }
}

#[cfg(test)]
mod tests;
