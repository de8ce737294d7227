//! Sockets: takes connections and hands each request to the [`Server`].
//!
//! Everything that comes from outside has a limit in size and in time, and a fault of one
//! connection ends that connection only.

mod body;
mod connection;
mod lingering;
mod listener;

use std::sync::Arc;
use std::time::Duration;

use buildly_core::gateway::traffic::forwarded::Peer;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::Server;
use crate::configuration::Limits;

pub use body::IdleTimeout;
pub use listener::{Accepted, Listener};

/// What is left of the time for a stop when open requests are cut off: for mail and for closing.
const CLOSING: Duration = Duration::from_secs(4);

/// After a failed accept (too many open files, say) nobody hammers the kernel.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until `stop` becomes true, then lets open requests end, until four seconds
/// before `limits.stop_timeout` is over.
pub async fn serve(server: Arc<Server>, listener: Listener, mut stop: watch::Receiver<bool>) {
    let limits = server.context().configuration.limits.clone();
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = accept(&listener, &places) => match accepted {
                Ok((accepted, place)) => {
                    let (server, limits, stop) = (server.clone(), limits.clone(), stop.clone());
                    connections.spawn(async move {
                        let _open = server.context().metrics.connection_opens();
                        serve_accepted(server.clone(), accepted, &limits, stop).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    let drain_max = limits.stop_timeout.saturating_sub(CLOSING);
    if tokio::time::timeout(drain_max, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests still open are cut off");
    }
    connections.shutdown().await;
}

/// Waits until `stop` is true, or its sender is gone.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _gone_counts_too = stop.wait_for(|stop| *stop).await;
}

async fn accept(
    listener: &Listener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(Accepted, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    Ok((listener.accept().await?, place))
}

async fn serve_accepted(
    server: Arc<Server>,
    accepted: Accepted,
    limits: &Limits,
    stop: watch::Receiver<bool>,
) {
    match accepted {
        Accepted::Tcp { stream, peer } => {
            let _slower_is_no_fault = stream.set_nodelay(true);
            lingering::until_read(stream, |stream| {
                let peer = Peer { address: peer, is_secure: false };
                connection::serve(server, stream, Some(peer), connection::Protocol::Any, limits, stop)
            })
            .await;
        }
        Accepted::Tls { stream, peer, acceptor } => {
            let _slower_is_no_fault = stream.set_nodelay(true);
            lingering::until_read(stream, async |stream| {
                let handshake = tokio::time::timeout(limits.head_timeout, acceptor.accept(stream));
                match handshake.await {
                    Ok(Ok(stream)) => {
                        let protocol = connection::Protocol::agreed(stream.get_ref().1.alpn_protocol());
                        let peer = Peer { address: peer, is_secure: true };
                        connection::serve(server, stream, Some(peer), protocol, limits, stop).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
                }
            })
            .await;
        }
        Accepted::Unix { stream } => {
            connection::serve(server, stream, None, connection::Protocol::Any, limits, stop).await;
        }
    }
}
