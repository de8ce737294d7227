//! An answer's body on its way to the caller.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use buildly_model::{Body, BodyError};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::unconstrained;
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
    /// The caller took nothing for too long.
    #[error("the answer was not read for too long")]
    Unread,
    /// The caller lost the right to it.
    #[error("the right to this stream has ended")]
    RightEnded,
}

/// What a call holds until the last byte of its answer: only ever dropped.
pub(crate) enum Place {
    Call { _permit: Permit },
    Stream { _place: StreamPlace },
}

/// The body of a service's answer: it is cut when the service sends nothing or the caller takes
/// nothing for too long, or the caller's right ends, and holds the call's place until then.
pub(crate) struct AnswerBody {
    watched: Arc<Watched>,
    idle: Duration,
    /// Fires when nothing has moved for `idle`; its waker is `watched`.
    sleep: Pin<Box<Sleep>>,
    streams: Arc<OpenStreams>,
    holder: Holder,
    ticket: Option<Ticket>,
    /// Whether somebody has asked for a piece of it before.
    was_asked: bool,
}

/// What the timer cuts. A caller that does not read never polls the body, so the timer cannot be
/// awaited there: it wakes this instead, which lets go of the place by itself.
struct Watched(Mutex<State>);

struct State {
    /// Until the end; the body goes first.
    open: Option<(Body, Place)>,
    /// When it is cut if nothing moves.
    until: Instant,
    /// The caller, while it waits for the service.
    reader: Option<Waker>,
    /// To be told to the caller when it asks next.
    cut: Option<StreamError>,
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Watched {
    fn wake(self: Arc<Self>) {
        let mut state = self.state();
        if Instant::now() < state.until {
            return;
        }
        let Some(open) = state.open.take() else { return };
        let reader = state.reader.take();
        state.cut = Some(if reader.is_some() { StreamError::Idle } else { StreamError::Unread });
        drop(state);
        drop(open);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl AnswerBody {
    /// `body` is one that has not ended.
    pub(crate) fn new(
        body: Body,
        place: Place,
        streams: Arc<OpenStreams>,
        holder: Holder,
        idle: Duration,
    ) -> Self {
        let until = Instant::now() + idle;
        let state = State { open: Some((body, place)), until, reader: None, cut: None };
        let watched = Arc::new(Watched(Mutex::new(state)));
        let sleep = Box::pin(tokio::time::sleep_until(until));
        let mut answer = Self { watched, idle, sleep, streams, holder, ticket: None, was_asked: false };
        answer.watch();
        answer
    }

    /// Lets the timer wake what it watches. It may not be put off because the task has done much.
    fn watch(&mut self) {
        let waker = Waker::from(Arc::clone(&self.watched));
        let _ = pin!(unconstrained(self.sleep.as_mut())).poll(&mut Context::from_waker(&waker));
    }

    /// Whether the right to the stream ended, whether or not something comes. An answer in one
    /// piece is never entered among the open streams.
    fn has_ended(&mut self, context: &Context<'_>) -> bool {
        let (streams, holder) = (&self.streams, &self.holder);
        let ticket = self.ticket.get_or_insert_with(|| streams.enter(holder.clone()));
        ticket.poll_ended(context)
    }

    fn end(&mut self) {
        let open = self.watched.state().open.take();
        drop(open);
        self.ticket = None;
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
        let watched = Arc::clone(&this.watched);
        let mut state = watched.state();
        let Some((body, _)) = &mut state.open else {
            return Poll::Ready(state.cut.take().map(|cut| Err(cut.into())));
        };
        let polled = Pin::new(&mut *body).poll_frame(context);
        let is_open =
            polled.is_pending() || matches!(&polled, Poll::Ready(Some(Ok(_)))) && !body.is_end_stream();
        let waited = state.reader.is_some();
        state.reader = polled.is_pending().then(|| context.waker().clone());
        if is_open && !(waited && polled.is_pending()) {
            state.until = Instant::now() + this.idle;
            this.sleep.as_mut().reset(state.until);
        }
        drop(state);
        if !is_open {
            this.end();
            return polled;
        }
        if (polled.is_pending() || this.was_asked) && this.has_ended(context) {
            this.end();
            return Poll::Ready(Some(Err(StreamError::RightEnded.into())));
        }
        this.was_asked = true;
        polled
    }

    fn is_end_stream(&self) -> bool {
        let state = self.watched.state();
        state.cut.is_none() && state.open.as_ref().is_none_or(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.watched.state();
        state.open.as_ref().map_or_else(SizeHint::default, |(body, _)| body.size_hint())
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        // The timer may hold `watched` a little longer.
        self.end();
    }
}
