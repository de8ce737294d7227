//! Which handles are live. A handle is a number that is looked up here, so that a closed or a
//! wrong one is an error and never a crash.
#![expect(unsafe_code, reason = "functions keep their names for the linker")]

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use buildly_deployment::{Deployment as Opened, Failure, Reply as Answer};

/// A deployment that was opened. 0 is none.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Its number.
    pub id: u64,
}

/// The answer to a call of a function of the host's, as long as that call goes on. 0 is none.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reply {
    /// Its number.
    pub id: u64,
}

#[derive(Default)]
struct Live {
    /// The last number that was given; none is given twice.
    last: u64,
    deployments: HashMap<u64, Arc<Opened>>,
    replies: HashMap<u64, Answer>,
}

static LIVE: LazyLock<Mutex<Live>> = LazyLock::new(Mutex::default);

/// Nothing is done under the lock that takes time, or calls the host.
fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Why nothing was found under a number.
    fn missing(&self, id: u64, field: &str, is_other_kind: bool) -> Failure {
        if id == 0 || id > self.last {
            Failure::field(field, format!("`{id}` is no handle that this library has given"))
        } else if is_other_kind {
            Failure::field(field, format!("handle `{id}` is of another kind"))
        } else {
            Failure::closed()
        }
    }
}

impl Deployment {
    pub(crate) fn of(opened: Opened) -> Self {
        let mut live = live();
        let id = live.next();
        live.deployments.insert(id, Arc::new(opened));
        Self { id }
    }

    pub(crate) fn find(self) -> Result<Arc<Opened>, Failure> {
        let live = live();
        let found = live.deployments.get(&self.id).map(Arc::clone);
        let is_reply = live.replies.contains_key(&self.id);
        found.ok_or_else(|| live.missing(self.id, "deployment", is_reply))
    }

    pub(crate) fn forget(self) {
        // Dropped after the lock is released: it may be the last one to hold it.
        let forgotten = live().deployments.remove(&self.id);
        drop(forgotten);
    }
}

impl Reply {
    pub(crate) fn of(answer: Answer) -> Self {
        let mut live = live();
        let id = live.next();
        live.replies.insert(id, answer);
        Self { id }
    }

    pub(crate) fn change(self, change: impl FnOnce(&mut Answer)) -> Result<(), Failure> {
        let mut live = live();
        if let Some(answer) = live.replies.get_mut(&self.id) {
            change(answer);
            return Ok(());
        }
        let is_deployment = live.deployments.contains_key(&self.id);
        Err(live.missing(self.id, "reply", is_deployment))
    }

    pub(crate) fn take(self) -> Option<Answer> {
        live().replies.remove(&self.id)
    }
}

/// How many handles are live: 0 once everything that was opened is closed.
#[unsafe(no_mangle)]
pub extern "C" fn buildly_handles_live() -> usize {
    let live = live();
    live.deployments.len() + live.replies.len()
}
