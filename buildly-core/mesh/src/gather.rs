//! Reads bodies whole: within a time, and within an amount of memory that all joins share.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use buildly_model::{Body, BodyError, CallError, Identity};
use bytes::Bytes;
use http_body::Body as _;
use tokio::time::timeout;

use crate::Error;
use crate::fault::Reason;
use crate::fetch::Trouble;

/// What all joins together may hold of bodies: requests, answers, and what is spliced of them.
pub(crate) const HELD_BYTES_MAX: usize = 512 * 1024 * 1024;
/// A caller may hold one part in so many of it.
const SHARES: usize = 4;
/// When to come back if there is no room.
const RETRY_AFTER_SECONDS: u32 = 1;

/// The memory that joins may use; clones share it.
#[derive(Clone)]
pub(crate) struct Memory {
    used: Arc<Mutex<Used>>,
    bytes_max: usize,
}

#[derive(Default)]
struct Used {
    bytes: usize,
    by_caller: HashMap<Identity, usize>,
}

/// A body that was read whole; it counts as held until this is dropped.
pub struct Gathered {
    /// The bytes.
    pub bytes: Bytes,
    /// Their place in memory.
    pub(crate) held: Held,
}

/// Some of the memory; given back when dropped.
pub(crate) struct Held {
    memory: Memory,
    caller: Identity,
    bytes: usize,
}

/// Why a body could not be read whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatherError {
    /// It has more bytes.
    #[error("it has more than {bytes_max} bytes")]
    TooLarge {
        /// The most that it may have.
        bytes_max: usize,
    },
    /// Joins hold as much memory as they may, all together or of this caller.
    #[error("too much is being joined at present; try again in {RETRY_AFTER_SECONDS} s")]
    NoRoom,
    /// It did not come in time.
    #[error("it did not come in time")]
    TimedOut,
    /// Its sender broke off.
    #[error("it broke off")]
    Broken(#[source] BodyError),
}

impl Memory {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { used: Arc::default(), bytes_max }
    }

    /// Takes some of the memory; `None` if there is not so much left.
    pub(crate) fn hold(&self, caller: Identity, bytes: usize) -> Option<Held> {
        let mut held = Held { memory: self.clone(), caller, bytes: 0 };
        held.grow(bytes).then_some(held)
    }

    /// Reads a body of at most `bytes_max` bytes within `time`.
    pub(crate) async fn gather(
        &self,
        caller: Identity,
        body: Body,
        bytes_max: usize,
        time: Duration,
    ) -> Result<Gathered, GatherError> {
        let read = timeout(time, self.read(caller, body, bytes_max)).await;
        read.unwrap_or(Err(GatherError::TimedOut))
    }

    async fn read(
        &self,
        caller: Identity,
        mut body: Body,
        bytes_max: usize,
    ) -> Result<Gathered, GatherError> {
        let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if expected > bytes_max {
            return Err(GatherError::TooLarge { bytes_max });
        }
        let mut held = self.hold(caller, 0).ok_or(GatherError::NoRoom)?;
        let mut pieces: Vec<Bytes> = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let Ok(bytes) = frame.map_err(GatherError::Broken)?.into_data() else { continue };
            if held.bytes + bytes.len() > bytes_max {
                return Err(GatherError::TooLarge { bytes_max });
            }
            if !held.grow(bytes.len()) {
                return Err(GatherError::NoRoom);
            }
            pieces.push(bytes);
        }
        let bytes = match pieces.as_mut_slice() {
            [only] => std::mem::take(only),
            pieces => pieces.concat().into(),
        };
        Ok(Gathered { bytes, held })
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn grow(&mut self, bytes: usize) -> bool {
        let mut used = self.memory.used();
        let of_caller = used.by_caller.get(&self.caller).copied().unwrap_or_default();
        let has_room = used.bytes + bytes <= self.memory.bytes_max
            && of_caller + bytes <= self.memory.bytes_max / SHARES;
        if has_room && bytes > 0 {
            used.bytes += bytes;
            used.by_caller.insert(self.caller, of_caller + bytes);
            self.bytes += bytes;
        }
        has_room
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut used = self.memory.used();
        used.bytes = used.bytes.saturating_sub(self.bytes);
        if let Some(of_caller) = used.by_caller.get_mut(&self.caller) {
            *of_caller = of_caller.saturating_sub(self.bytes);
            if *of_caller == 0 {
                used.by_caller.remove(&self.caller);
            }
        }
    }
}

impl GatherError {
    /// What it means for the answer of a service that others are joined to.
    pub(crate) fn of_answer(self, service: &str) -> Error {
        let service = service.to_owned();
        match self {
            Self::NoRoom => CallError::Busy { service, retry_after_seconds: RETRY_AFTER_SECONDS }.into(),
            Self::TimedOut => CallError::DeadlineExceeded { service }.into(),
            Self::TooLarge { .. } | Self::Broken(_) => {
                Error::Unreadable { service, reason: self.to_string() }
            }
        }
    }

    /// What it means for the answer of a joined service.
    pub(crate) fn of_joined(&self) -> Trouble {
        let reason = match self {
            Self::NoRoom => Reason::Busy,
            Self::TimedOut => Reason::DeadlineExceeded,
            Self::TooLarge { .. } | Self::Broken(_) => Reason::Unreadable,
        };
        Trouble { reason, records: 1, detail: Some(self.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use buildly_model::UserId;
    use uuid::Uuid;

    use super::*;

    fn user(number: u128) -> Identity {
        Identity::User(UserId::from_uuid(Uuid::from_u128(number)))
    }

    #[test]
    fn a_caller_holds_a_quarter_and_all_together_hold_the_whole() {
        let memory = Memory::new(100);
        let first = memory.hold(user(1), 25).expect("a quarter");
        assert!(memory.hold(user(1), 1).is_none(), "more than a quarter");
        let others: Vec<Held> = (2..5).filter_map(|number| memory.hold(user(number), 25)).collect();
        assert_eq!(others.len(), 3);
        assert!(memory.hold(user(9), 1).is_none(), "more than there is");
        drop(first);
        assert!(memory.hold(user(9), 25).is_some());
        drop(others);
        assert!(memory.used().by_caller.is_empty(), "nothing is remembered of who holds nothing");
        assert_eq!(memory.used().bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_within_its_bounds_or_not_at_all() {
        let memory = Memory::new(400);
        let gather = |body, bytes_max| memory.gather(user(1), body, bytes_max, Duration::from_secs(5));
        assert_eq!(gather(Body::from("hello"), 5).await.map(|whole| whole.bytes).unwrap(), "hello");
        assert!(matches!(gather(Body::from("hello"), 4).await, Err(GatherError::TooLarge { bytes_max: 4 })));
        assert!(matches!(gather(Body::from(vec![0; 101]), 999).await, Err(GatherError::NoRoom)));
        let silent = Body::stream(crate::testing::Silent);
        assert!(matches!(gather(silent, 4).await, Err(GatherError::TimedOut)));
        assert_eq!(memory.used().bytes, 0);
    }
}
