//! Requests to addresses that users name, such as those of webhooks.
//!
//! Whoever names an address must not make this process call where only it may: unless that is
//! allowed, nothing is sent to this machine, to private networks or without TLS, by what names
//! resolve to when the connection is made, and no redirect is followed.

mod public;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, vec};

use buildly_model::Body;
use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tower_service::Service;

use crate::TlsError;

const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_CONNECTIONS_MAX: usize = 2;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// There was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct OutboundError {
    reason: String,
}

/// Sends requests to addresses that users name.
#[derive(Clone)]
pub struct Outbound {
    client: Client<HttpsConnector<HttpConnector<Names>>, Full<Bytes>>,
    private_is_allowed: bool,
}

impl Outbound {
    /// Trusts the roots of the web; `private_is_allowed` also allows this machine, private
    /// networks and addresses without TLS.
    ///
    /// # Errors
    /// [`TlsError`] if TLS cannot be set up.
    pub fn new(private_is_allowed: bool) -> Result<Self, TlsError> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::of)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http = HttpConnector::new_with_resolver(Names { private_is_allowed });
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(https);
        Ok(Self { client, private_is_allowed })
    }

    /// Why nothing is ever sent to this address, as far as it can be told without looking its
    /// name up.
    #[must_use]
    pub fn refusal(&self, url: &Uri) -> Option<String> {
        if self.private_is_allowed {
            return None;
        }
        if url.scheme() != Some(&Scheme::HTTPS) {
            return Some("Enter a URL that begins with https://.".to_owned());
        }
        let host = url.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_private = match bare.parse::<IpAddr>() {
            Ok(address) => !public::is_public(address),
            Err(_) => public::is_private_name(bare),
        };
        is_private.then(|| "Enter a URL outside this machine and private networks.".to_owned())
    }

    /// Sends a request and gives the status of the answer; its body is not read.
    ///
    /// # Errors
    /// [`OutboundError`] says why there was no answer. The caller limits the time.
    pub async fn send(&self, request: Request<Bytes>) -> Result<StatusCode, OutboundError> {
        Ok(self.ask(request).await?.status())
    }

    /// Sends a request and gives the answer with its body, which may have `bytes_max`.
    ///
    /// # Errors
    /// [`OutboundError`] says why there was no answer, or that its body broke off or is too long.
    /// The caller limits the time.
    pub async fn fetch(
        &self,
        request: Request<Bytes>,
        bytes_max: usize,
    ) -> Result<Response<Bytes>, OutboundError> {
        let (head, body) = self.ask(request).await?.into_parts();
        let body = Body::stream(body).collect(bytes_max).await;
        let body = body.map_err(|error| OutboundError { reason: innermost(error.as_ref()) })?;
        Ok(Response::from_parts(head, body))
    }

    async fn ask(&self, request: Request<Bytes>) -> Result<Response<Incoming>, OutboundError> {
        if let Some(reason) = self.refusal(request.uri()) {
            return Err(OutboundError { reason });
        }
        let answered = self.client.request(request.map(Full::new)).await;
        answered.map_err(|error| OutboundError { reason: innermost(&error) })
    }
}

/// Looks names up, and lets only public addresses through.
#[derive(Clone)]
struct Names {
    private_is_allowed: bool,
}

impl Service<Name> for Names {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let private_is_allowed = self.private_is_allowed;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| private_is_allowed || public::is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "the name leads to this machine or a private network only",
                ));
            }
            Ok(allowed.into_iter())
        })
    }
}

/// What lies at the bottom: "connection refused" says more than "client error".
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests;
