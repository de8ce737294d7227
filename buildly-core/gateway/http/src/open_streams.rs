//! The streams that are open, so that those of a caller who lost the right can be ended.
//!
//! A stream is entered here when it first has to wait, or has more to say after two pieces, so
//! short answers never are. Whoever enters is judged right after: a right that ended between the
//! check and the entry is not overlooked, because either the sweep finds the stream here, or its
//! judge knows already. Tokens that end with time are kept in the order of their end.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Waker};

use buildly_model::{OrganizationId, Principal, ServiceId, Timestamp};
use http::Method;

const SHARDS: usize = 16;

/// Says, by the rights of this moment, whether a principal may go on with a call of this
/// method to this service.
pub type StreamJudge = dyn Fn(&Principal, ServiceId, &Method) -> bool + Send + Sync;

/// All open streams.
pub(crate) struct OpenStreams {
    shards: Vec<Mutex<HashMap<u64, Arc<Stream>>>>,
    /// The streams whose token ends, the next one first.
    expiries: Mutex<BTreeSet<(Timestamp, u64)>>,
    next: AtomicU64,
    judge: OnceLock<Arc<StreamJudge>>,
}

struct Stream {
    holder: Holder,
    is_ended: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// Whose stream it is.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) principal: Principal,
    pub(crate) service: ServiceId,
    pub(crate) method: Method,
}

impl Holder {
    fn passes(&self, judge: impl Fn(&Principal, ServiceId, &Method) -> bool) -> bool {
        judge(&self.principal, self.service, &self.method)
    }
}

/// One stream's entry; it leaves when dropped.
pub(crate) struct Ticket {
    streams: Arc<OpenStreams>,
    number: u64,
    stream: Arc<Stream>,
}

impl Default for OpenStreams {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            expiries: Mutex::default(),
            next: AtomicU64::new(0),
            judge: OnceLock::new(),
        }
    }
}

impl OpenStreams {
    pub(crate) fn enter(self: &Arc<Self>, holder: Holder) -> Ticket {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let stream = Arc::new(Stream { holder, is_ended: AtomicBool::new(false), waker: Mutex::new(None) });
        if let Some(shard) = self.shard(number) {
            lock(shard).insert(number, Arc::clone(&stream));
        }
        if let Some(end) = stream.holder.principal.expires_at {
            lock(&self.expiries).insert((end, number));
        }
        if self.judge.get().is_some_and(|judge| !stream.holder.passes(judge.as_ref())) {
            stream.is_ended.store(true, Ordering::Release);
        }
        Ticket { streams: Arc::clone(self), number, stream }
    }

    /// Who judges those that enter; the first one stays.
    pub(crate) fn set_judge(&self, judge: Arc<StreamJudge>) {
        let _ = self.judge.set(judge);
    }

    /// Ends every stream that may not go on, and says how many.
    pub(crate) fn end_unless(&self, may_go_on: impl Fn(&Principal, ServiceId, &Method) -> bool) -> usize {
        let mut ended = 0;
        for shard in &self.shards {
            // The question may take its time: it is asked outside the lock.
            let open: Vec<Arc<Stream>> = lock(shard).values().cloned().collect();
            let losers = open.iter().filter(|stream| !stream.holder.passes(&may_go_on));
            ended += losers.filter(|stream| stream.end()).count();
        }
        ended
    }

    /// Ends every stream whose token's time is over, and says how many. Costs nothing for others.
    pub(crate) fn end_expired(&self, now: Timestamp) -> usize {
        let expired = {
            let mut expiries = lock(&self.expiries);
            let later = expiries.split_off(&(now, u64::MAX));
            std::mem::replace(&mut *expiries, later)
        };
        let find = |number: u64| lock(self.shard(number)?).get(&number).cloned();
        let streams = expired.into_iter().filter_map(|(_, number)| find(number));
        streams.filter(|stream| stream.end()).count()
    }

    /// The organizations whose members have streams open.
    pub(crate) fn organizations(&self) -> HashSet<OrganizationId> {
        let organizations = |shard: &Mutex<HashMap<u64, Arc<Stream>>>| {
            let of_stream = |stream: &Arc<Stream>| stream.holder.principal.organization;
            lock(shard).values().filter_map(of_stream).collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(organizations).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn shard(&self, number: u64) -> Option<&Mutex<HashMap<u64, Arc<Stream>>>> {
        self.shards.get(usize::try_from(number % SHARDS as u64).unwrap_or(0))
    }
}

impl Stream {
    /// Ends it; false if it was ended before.
    fn end(&self) -> bool {
        let was_open = !self.is_ended.swap(true, Ordering::AcqRel);
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
        was_open
    }
}

impl Ticket {
    /// Whether the stream was ended; if not, the task is woken when it is.
    pub(crate) fn poll_ended(&self, context: &Context<'_>) -> bool {
        if self.stream.is_ended.load(Ordering::Acquire) {
            return true;
        }
        let mut waker = lock(&self.stream.waker);
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
        drop(waker);
        // It may have been ended before the waker was there.
        self.stream.is_ended.load(Ordering::Acquire)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(shard) = self.streams.shard(self.number) {
            lock(shard).remove(&self.number);
        }
        if let Some(end) = self.stream.holder.principal.expires_at {
            lock(&self.streams.expiries).remove(&(end, self.number));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
