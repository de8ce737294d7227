//! Connections that switched to another protocol, such as WebSocket: bytes are copied both ways.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::gate::StreamPlace;
use crate::open_streams::Ticket;

/// How long either side may take to switch after both have agreed.
const SWITCH_TIMEOUT: Duration = Duration::from_secs(10);

/// The tasks that copy; they end with their owner.
#[derive(Default)]
pub(crate) struct Tunnels(Mutex<JoinSet<()>>);

/// One tunnel.
pub(crate) struct Tunnel {
    pub(crate) caller: OnUpgrade,
    pub(crate) service: OnUpgrade,
    pub(crate) idle: Duration,
    pub(crate) ticket: Ticket,
    pub(crate) place: StreamPlace,
}

impl Tunnels {
    pub(crate) fn open(&self, tunnel: Tunnel) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            if let Err(error) = tunnel.run().await {
                tracing::debug!(error = %error, "a tunnel ended with an error");
            }
        });
    }

    /// Ends all and waits for it.
    pub(crate) async fn close(&self) {
        let mut tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}

impl Tunnel {
    async fn run(self) -> io::Result<()> {
        let _place = self.place;
        let both = async { tokio::join!(self.caller, self.service) };
        let (caller, service) = timeout(SWITCH_TIMEOUT, both).await?;
        let (caller, service) = (caller.map_err(io::Error::other)?, service.map_err(io::Error::other)?);
        let activity = Arc::new(AtomicU64::new(0));
        let mut caller = TokioIo::new(caller);
        let mut service = Watched { stream: TokioIo::new(service), activity: Arc::clone(&activity) };
        let mut copy = pin!(copy_bidirectional(&mut caller, &mut service));
        let mut silence = pin!(silence(&activity, self.idle));
        poll_fn(|context| {
            if let Poll::Ready(copied) = copy.as_mut().poll(context) {
                return Poll::Ready(copied.map(drop));
            }
            if self.ticket.poll_ended(context) || silence.as_mut().poll(context).is_ready() {
                return Poll::Ready(Ok(()));
            }
            Poll::Pending
        })
        .await
    }
}

/// Over when nothing moved for `idle` (or a little longer, at most twice that).
async fn silence(activity: &AtomicU64, idle: Duration) {
    let mut before = activity.load(Ordering::Relaxed);
    loop {
        sleep(idle).await;
        let now = activity.load(Ordering::Relaxed);
        if now == before {
            return;
        }
        before = now;
    }
}

/// Counts what moves: all bytes of a tunnel are read from, or written to, the service.
struct Watched<S> {
    stream: S,
    activity: Arc<AtomicU64>,
}

impl<S> Watched<S> {
    fn moved<T>(&self, polled: &Poll<T>) {
        if polled.is_ready() {
            self.activity.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.moved(&polled);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
