//! The handle of the gateway's operations, and what it needs from outside.

mod document;
mod instances;
mod read;
mod refresh;
mod register;
mod update;
#[cfg(test)]
pub(crate) mod world;

use std::sync::Arc;

use async_trait::async_trait;
use buildly_journal::Commit;
use buildly_model::{Clock, Principal, Random};

use crate::{Change, Error, Snapshot, SpecificationSource, Store};

pub use instances::InstanceSpec;
pub use read::ServiceKey;
pub use register::Registration;
pub use update::Update;

/// Decides who may change services; auth answers, the facade connects.
#[async_trait]
pub trait Access: Send + Sync {
    /// Lets superusers pass.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if nobody is signed in, [`Error::Forbidden`] for everybody
    /// else, [`Error::Store`] if it cannot be known.
    async fn require_superuser(&self, principal: &Principal) -> Result<(), Error>;
}

/// Where the operations take the current snapshot from; the facade implements it.
pub trait Snapshots: Send + Sync {
    /// The snapshot now.
    fn current(&self) -> Arc<Snapshot>;
}

/// What the operations need from outside.
pub struct Parts {
    /// Reads.
    pub store: Arc<dyn Store>,
    /// Writes.
    pub commits: Arc<dyn Commit<Change>>,
    /// Hot state.
    pub snapshots: Arc<dyn Snapshots>,
    /// Rights.
    pub access: Arc<dyn Access>,
    /// Documents of services.
    pub source: Arc<dyn SpecificationSource>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

/// The operations on services; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) parts: Arc<Parts>,
    fetches: Arc<refresh::Fetches>,
    merged: Arc<document::Merged>,
}

impl Gateway {
    /// Connects the operations with their outside.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), fetches: Arc::default(), merged: Arc::default() }
    }

    /// The same operations, written by `commits`: so that a caller may have something else written
    /// with them, all or nothing.
    #[must_use]
    pub fn committing(&self, commits: Arc<dyn Commit<Change>>) -> Self {
        let Parts { store, commits: _, snapshots, access, source, clock, random } = self.parts.as_ref();
        let parts = Parts {
            store: Arc::clone(store),
            commits,
            snapshots: Arc::clone(snapshots),
            access: Arc::clone(access),
            source: Arc::clone(source),
            clock: Arc::clone(clock),
            random: Arc::clone(random),
        };
        Self { parts: Arc::new(parts), ..self.clone() }
    }

    /// The snapshot now; take it once where a request enters.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.parts.snapshots.current()
    }
}
