//! An answer's body on its way to the caller.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use buildly_model::{Body, BodyError};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::gate::{Permit, StreamPlace};
use crate::open_streams::{Holder, OpenStreams, Ticket};

/// Why a stream was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The service sent nothing for too long.
    #[error("the service sent nothing for too long")]
    Idle,
    /// The caller lost the right to it.
    #[error("the right to this stream has ended")]
    RightEnded,
}

/// What a call holds until the last byte of its answer: only ever dropped.
pub(crate) enum Place {
    Call { _permit: Permit },
    Stream { _place: StreamPlace },
}

/// The body of a service's answer: it is cut when it is silent for too long or the caller's
/// right ends, and holds the call's place until it ends.
pub(crate) struct AnswerBody {
    body: Body,
    place: Option<Place>,
    streams: Arc<OpenStreams>,
    holder: Holder,
    ticket: Option<Ticket>,
    idle: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    was_waiting: bool,
}

impl AnswerBody {
    pub(crate) fn new(
        body: Body,
        place: Place,
        streams: Arc<OpenStreams>,
        holder: Holder,
        idle: Duration,
    ) -> Self {
        let place = Some(place).filter(|_| !body.is_end_stream());
        Self { body, place, streams, holder, ticket: None, idle, sleep: None, was_waiting: false }
    }

    /// Whether the stream must be cut while nothing comes.
    fn poll_cut(&mut self, context: &mut Context<'_>) -> Option<StreamError> {
        let (streams, holder) = (&self.streams, &self.holder);
        let ticket = self.ticket.get_or_insert_with(|| streams.enter(holder.clone()));
        if ticket.poll_ended(context) {
            return Some(StreamError::RightEnded);
        }
        let idle = self.idle;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        if !self.was_waiting {
            sleep.as_mut().reset(Instant::now() + idle);
            self.was_waiting = true;
        }
        sleep.as_mut().poll(context).is_ready().then_some(StreamError::Idle)
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if polled.is_pending() {
            let Some(cut) = this.poll_cut(context) else { return Poll::Pending };
            this.place = None;
            this.body = Body::empty();
            return Poll::Ready(Some(Err(cut.into())));
        }
        this.was_waiting = false;
        let is_open = matches!(&polled, Poll::Ready(Some(Ok(_)))) && !this.body.is_end_stream();
        if !is_open {
            this.place = None;
            this.ticket = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
