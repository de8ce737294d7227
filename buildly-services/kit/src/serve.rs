//! A socket for a service: HTTP/1.1 and HTTP/2 with a limit on everything that comes in.

mod opening;

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use buildly_model::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::Service;

pub use opening::Opening;

const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_BYTES_MAX: usize = 64 << 10;
const CONNECTIONS_MAX: usize = 1024;
const STREAMS_MAX: u32 = 100;
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// After the listener refused a connection (out of file handles, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many may be connected, and how long each may take to say what it wants.
struct Limits {
    connections_max: usize,
    header_timeout: Duration,
}

/// Answers requests that come in on `listener` until `shutdown` ends, then lets those under
/// way end (at most 20 s) and closes the service.
pub async fn serve(service: Service, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let limits = Limits { connections_max: CONNECTIONS_MAX, header_timeout: HEADER_TIMEOUT };
    serve_within(&limits, service, listener, shutdown).await;
}

async fn serve_within(
    limits: &Limits,
    service: Service,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) {
    let builder = Arc::new(builder(limits.header_timeout));
    let open = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let permit = tokio::select! {
            () = &mut shutdown => break,
            Ok(permit) = Arc::clone(&open).acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "connection without TCP_NODELAY");
        }
        let service = service.clone();
        let answer = service_fn(move |request: Request<Incoming>| {
            let service = service.clone();
            async move { Ok::<_, Infallible>(service.handle(request.map(Body::stream)).await) }
        });
        let stream = TokioIo::new(Opening::new(stream, limits.header_timeout));
        let connection = builder.serve_connection(stream, answer).into_owned();
        let connection = graceful.watch(connection);
        // Ends with its connection: the client, the header timeout or the drain below ends that.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still under way when the time to end was over");
    }
    service.close().await;
}

fn builder(header_timeout: Duration) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(header_timeout);
    builder
}

#[cfg(test)]
mod tests;
