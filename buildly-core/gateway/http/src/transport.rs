//! Connections to instances: pooled, HTTP/1.1, and HTTP/2 where TLS agrees on it.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use buildly_model::BodyError;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use tower_service::Service;

use crate::replay::Playing;

const IDLE_CONNECTIONS_MAX: usize = 128;
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a silent connection is asked whether the other end is there (TCP, and HTTP/2, where
/// one connection carries all calls: a lost one would let each of them run into its deadline).
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long an HTTP/2 connection may leave that unanswered.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// What a stream of an HTTP/2 connection may have sent unread: enough for a fast network,
/// little enough for a thousand streams.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {reason}")]
pub struct TlsError {
    reason: String,
}

impl TlsError {
    pub(crate) fn of(error: rustls::Error) -> Self {
        Self { reason: error.to_string() }
    }
}

/// Connections that are made within one time.
pub(crate) struct Transport {
    any: Client<Connector, Playing>,
    /// Only HTTP/1.1 can switch to another protocol.
    http1: Client<Connector, Playing>,
}

/// A transport for each connect timeout in use.
pub(crate) struct Transports {
    tls: ClientConfig,
    by_connect_timeout: Mutex<HashMap<Duration, Weak<Transport>>>,
}

impl Transports {
    /// Trusts the roots of the web, and `extra` ones.
    pub(crate) fn new(extra: &[CertificateDer<'static>]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in extra {
            roots.add(certificate.clone()).map_err(TlsError::of)?;
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::of)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls, by_connect_timeout: Mutex::default() })
    }

    pub(crate) fn with_connect_timeout(&self, connect_timeout: Duration) -> Arc<Transport> {
        let mut transports = self.by_connect_timeout.lock().unwrap_or_else(PoisonError::into_inner);
        transports.retain(|_, transport| transport.strong_count() > 0);
        if let Some(transport) = transports.get(&connect_timeout).and_then(Weak::upgrade) {
            return transport;
        }
        let transport = Arc::new(Transport::new(&self.tls, connect_timeout));
        transports.insert(connect_timeout, Arc::downgrade(&transport));
        transport
    }
}

impl Transport {
    fn new(tls: &ClientConfig, connect_timeout: Duration) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(KEEPALIVE));
        let schemes = || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let connector = |https| Connector { https, timeout: connect_timeout };
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .http2_initial_stream_window_size(STREAM_WINDOW_BYTES)
            .http2_initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_keep_alive_interval(KEEPALIVE)
            .http2_keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .http2_keep_alive_while_idle(true);
        Self {
            any: builder.build(connector(schemes().enable_all_versions().wrap_connector(http.clone()))),
            http1: builder.build(connector(schemes().enable_http1().wrap_connector(http))),
        }
    }

    /// Sends a request and gives the head of the answer.
    pub(crate) async fn send(&self, request: Request<Playing>) -> Result<Response<Incoming>, Error> {
        self.any.request(request).await
    }

    /// The same for a request that switches to another protocol.
    pub(crate) async fn send_upgrade(&self, request: Request<Playing>) -> Result<Response<Incoming>, Error> {
        self.http1.request(request).await
    }
}

/// Connects within a time that covers looking the name up, TCP and TLS.
#[derive(Clone)]
struct Connector {
    https: HttpsConnector<HttpConnector>,
    timeout: Duration,
}

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = BodyError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BodyError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BodyError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = timeout(self.timeout, self.https.call(uri));
        Box::pin(async move {
            connecting
                .await
                .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "connecting took too long"))?
        })
    }
}
