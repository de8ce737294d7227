//! One connection: HTTP/1.1 or HTTP/2, with every limit set.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use buildly_core::gateway::traffic::forwarded::Peer;
use buildly_kit::Opening;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::{body, stopped};
use crate::Server;
use crate::configuration::Limits;

const HEADERS_MAX: usize = 200;
const STREAMS_MAX: u32 = 250;
const PING_EVERY: Duration = Duration::from_secs(20);

/// Which versions of HTTP the peer may speak.
#[derive(Debug, Clone, Copy)]
pub(super) enum Protocol {
    /// What its first bytes say.
    Any,
    /// As agreed in the TLS handshake (ALPN, RFC 7301).
    Http1,
    /// As agreed in the TLS handshake.
    Http2,
}

impl Protocol {
    pub(super) fn agreed(name: Option<&[u8]>) -> Self {
        match name {
            Some(b"h2") => Self::Http2,
            Some(_) => Self::Http1,
            None => Self::Any,
        }
    }
}

/// Serves one connection to its end; after `stop`, no further request on it.
pub(super) async fn serve<S>(
    server: Arc<Server>,
    stream: S,
    peer: Option<Peer>,
    protocol: Protocol,
    limits: &Limits,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let body_idle_timeout = limits.body_idle_timeout;
    let service = service_fn(move |request: Request<Incoming>| {
        let server = server.clone();
        async move {
            let request = request.map(|incoming| body::bounded(incoming, body_idle_timeout));
            Ok::<_, Infallible>(match peer {
                Some(peer) => server.answer(request, peer).await,
                None => server.answer_local(request).await,
            })
        }
    });
    let builder = builder(protocol, limits);
    let stream = TokioIo::new(Opening::new(stream, limits.head_timeout));
    let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = ?peer, error, "a connection ended with an error");
    }
}

fn builder(protocol: Protocol, limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX));
    match protocol {
        Protocol::Any => builder,
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    }
}
