//! A request's body that can be sent again, as long as it is short or was not touched.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use buildly_model::{Body, BodyError};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};

use crate::deadline::Progress;

/// What is kept to be sent again at most.
const KEPT_BYTES_MAX: usize = 64 * 1024;

/// A body, and what of it went out; `None` for an empty one.
pub(crate) struct Tape {
    state: Option<Arc<Mutex<State>>>,
    progress: Progress,
}

struct State {
    /// What was read so far; `None` if it was too much to keep.
    kept: Option<Vec<Bytes>>,
    kept_bytes: usize,
    kept_bytes_max: usize,
    /// What was not read yet; `None` while it is being sent.
    rest: Option<Body>,
    /// The caller's own body broke off.
    is_broken: bool,
    /// Its last byte went out.
    is_sent: bool,
}

/// One sending of the body, from its start.
pub(crate) struct Playing {
    again: std::vec::IntoIter<Bytes>,
    again_bytes: u64,
    rest: Body,
    state: Option<Arc<Mutex<State>>>,
    progress: Progress,
}

impl Tape {
    /// `is_repeatable`: keep what is sent, so that it can be sent again; else only a body that
    /// was not touched can.
    pub(crate) fn new(body: Body, is_repeatable: bool, progress: Progress) -> Self {
        if body.is_end_stream() {
            return Self { state: None, progress };
        }
        let kept_bytes_max = if is_repeatable { KEPT_BYTES_MAX } else { 0 };
        let state = State {
            kept: Some(Vec::new()),
            kept_bytes: 0,
            kept_bytes_max,
            rest: Some(body),
            is_broken: false,
            is_sent: false,
        };
        Self { state: Some(Arc::new(Mutex::new(state))), progress }
    }

    /// The body from its start; `None` if too much of it is gone, or is still being sent.
    pub(crate) fn play(&self) -> Option<Playing> {
        let progress = self.progress.clone();
        let Some(state) = &self.state else {
            let again = Vec::new().into_iter();
            return Some(Playing { again, again_bytes: 0, rest: Body::empty(), state: None, progress });
        };
        let mut locked = lock(state);
        let again = locked.kept.clone()?.into_iter();
        let rest = locked.rest.take()?;
        let again_bytes = locked.kept_bytes as u64;
        Some(Playing { again, again_bytes, rest, state: Some(Arc::clone(state)), progress })
    }

    /// Whether all of it went out.
    pub(crate) fn is_sent(&self) -> bool {
        self.state.as_ref().is_none_or(|state| lock(state).is_sent)
    }

    /// Whether it was the caller's own body that broke off.
    pub(crate) fn is_broken(&self) -> bool {
        self.state.as_ref().is_some_and(|state| lock(state).is_broken)
    }
}

impl State {
    fn keep(&mut self, bytes: &Bytes) {
        self.kept_bytes += bytes.len();
        if self.kept_bytes > self.kept_bytes_max {
            self.kept = None;
        } else if let Some(kept) = &mut self.kept {
            kept.push(bytes.clone());
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl http_body::Body for Playing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(bytes) = self.again.next() {
            self.again_bytes -= bytes.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let polled = Pin::new(&mut self.rest).poll_frame(context);
        if let (Poll::Ready(Some(frame)), Some(state)) = (&polled, &self.state) {
            let bytes = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
            self.progress.moved(bytes);
            let mut state = lock(state);
            match frame {
                Ok(frame) => match frame.data_ref() {
                    Some(bytes) => state.keep(bytes),
                    None => state.kept = None, // trailers are sent once
                },
                Err(_) => state.is_broken = true,
            }
        }
        let is_over = matches!(polled, Poll::Ready(None)) || self.rest.is_end_stream();
        if let Some(state) = self.state.as_ref().filter(|_| is_over) {
            lock(state).is_sent = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.again.len() == 0 && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + self.again_bytes);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + self.again_bytes);
        }
        hint
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        if let Some(state) = &self.state {
            lock(state).rest = Some(std::mem::replace(&mut self.rest, Body::empty()));
        }
    }
}

#[cfg(test)]
mod tests;
