//! Closing a connection so that its last answer arrives.
//!
//! A socket that is closed with unread bytes resets the connection, and the reset can
//! overtake the answer (a 413 or 431, say) on its way (RFC 9112 section 9.6). So we stop
//! sending, read on for a moment, and only then close.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

const LINGER_MAX: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Runs `use_it` on the stream, then closes the stream gently, unless it was taken over.
pub(super) async fn until_read<F>(stream: TcpStream, use_it: impl FnOnce(Shared) -> F)
where
    F: Future<Output = ()>,
{
    let shared = Arc::new(Mutex::new(stream));
    use_it(Shared(shared.clone())).await;
    let Some(stream) = Arc::into_inner(shared) else {
        return; // upgraded: somebody else reads and writes it now
    };
    let mut stream = stream.into_inner().unwrap_or_else(PoisonError::into_inner);
    if stream.shutdown().await.is_ok() {
        let mut rest = stream.take(LINGER_BYTES_MAX);
        let mut sink = tokio::io::sink();
        let _closed_either_way =
            tokio::time::timeout(LINGER_MAX, tokio::io::copy(&mut rest, &mut sink)).await;
    }
}

/// A stream that its maker gets back once everybody else has dropped it. The lock is only
/// ever held while polling.
pub(super) struct Shared(Arc<Mutex<TcpStream>>);

impl Shared {
    fn with<T>(&self, poll: impl FnOnce(Pin<&mut TcpStream>) -> T) -> T {
        poll(Pin::new(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.with(|stream| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_shutdown(context))
    }
}
