//! A connection extension: reaches services behind Unix domain sockets, which only processes of
//! this machine can open, and only those that the file's permissions let.
//!
//! ```no_run
//! use std::sync::Arc;
//! use buildly_core::Buildly;
//! use example_unix_socket::UnixSocket;
//!
//! # async fn example() -> Result<(), buildly_core::Error> {
//! let buildly = Buildly::open("./data").await?;
//! buildly.attach_service("ledger.localhost", Arc::new(UnixSocket::new("/run/ledger.sock")));
//! # Ok(())
//! # }
//! ```
#![cfg(unix)]

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use buildly_core::gateway_http::{Connection, NotConnected};
use buildly_core::model::{Body, BodyError};
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::UnixStream;
use tower_service::Service;

const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const IDLE_MAX: usize = 32;

/// The services behind one socket, spoken to in HTTP/1.1 over connections that are kept.
pub struct UnixSocket {
    client: Client<Connector, Body>,
}

impl UnixSocket {
    /// The socket at this path; it is opened when it is first needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(Connector { path: path.into() });
        Self { client }
    }
}

#[async_trait]
impl Connection for UnixSocket {
    async fn handle(&self, mut request: Request<Body>) -> Result<Response<Body>, BodyError> {
        // The client wants a whole URI; the connector looks at none of it, and the service gets
        // path and query, with the `Host` that the gateway chose.
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(Authority::from_static("localhost"));
        *request.uri_mut() = Uri::from_parts(parts)?;
        match self.client.request(request).await {
            Ok(answer) => Ok(answer.map(Body::stream)),
            Err(error) if error.is_connect() => Err(NotConnected(error.into()).into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Opens the socket, whatever is asked for.
#[derive(Clone)]
struct Connector {
    path: PathBuf,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<UnixStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<UnixStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let path = self.path.clone();
        Box::pin(async move { Ok(TokioIo::new(UnixStream::connect(path).await?)) })
    }
}
