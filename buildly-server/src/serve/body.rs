//! A request's body must keep coming.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use buildly_model::{Body, BodyError};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

/// Nothing came of a body for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing came of the body for too long")]
pub struct IdleTimeout;

/// Takes a body off the wire; it ends with [`IdleTimeout`] if nothing comes for `timeout`
/// while somebody waits for it.
pub(super) fn bounded(body: Incoming, timeout: Duration) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    Body::stream(Coming { body, timeout, sleep: None })
}

struct Coming {
    body: Incoming,
    timeout: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Coming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.sleep = None;
            return polled.map_err(Into::into);
        }
        let timeout = self.timeout;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        match sleep.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(Box::new(IdleTimeout)))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
