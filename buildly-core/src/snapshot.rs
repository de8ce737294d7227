//! The one immutable value that every request reads: permissions, routes, catalog, keys.
//!
//! A request takes it once, where it enters, and sees one state from start to end. Only the
//! [follower](crate::follower) publishes a new one, so snapshots never go backwards.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use buildly_model::{OrganizationId, Revision, StoreError};
use tokio::sync::{mpsc, oneshot, watch};

/// The hot state of the deployment at one revision.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Every change up to this revision is in.
    pub revision: Revision,
    /// Identity, tokens and permissions.
    pub auth: Arc<buildly_auth::Snapshot>,
    /// Services, routes and policies.
    pub gateway: Arc<buildly_gateway::Snapshot>,
    /// At which revision these last changed.
    pub gateway_revision: Revision,
    /// Record types and relationships.
    pub mesh: Arc<buildly_mesh::Snapshot>,
}

/// An organization that somebody needs and that is not in the snapshot yet.
pub(crate) struct OrganizationWanted {
    pub(crate) organization: OrganizationId,
    pub(crate) loaded: oneshot::Sender<Result<(), StoreError>>,
}

/// The snapshot's place: read by everybody, written by the follower.
pub(crate) struct Hot {
    snapshot: ArcSwap<Snapshot>,
    applied: watch::Sender<Revision>,
    wanted: mpsc::Sender<OrganizationWanted>,
}

/// How long a caller waits for the follower.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many callers may wait for organizations to be loaded at once.
const ORGANIZATIONS_WANTED_MAX: usize = 1024;

impl Hot {
    pub(crate) fn new() -> (Arc<Self>, mpsc::Receiver<OrganizationWanted>) {
        let (wanted, wanted_by_others) = mpsc::channel(ORGANIZATIONS_WANTED_MAX);
        let hot = Self {
            snapshot: ArcSwap::from_pointee(Snapshot::default()),
            applied: watch::Sender::new(Revision::ZERO),
            wanted,
        };
        (Arc::new(hot), wanted_by_others)
    }

    /// The snapshot now.
    pub(crate) fn load(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts the next snapshot in place; only the follower calls this.
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        let revision = snapshot.revision;
        self.snapshot.store(Arc::new(snapshot));
        self.applied.send_replace(revision);
    }

    /// The revision of the snapshot, to wait on.
    pub(crate) fn applied(&self) -> watch::Receiver<Revision> {
        self.applied.subscribe()
    }

    /// Waits until the snapshot has reached `revision`.
    ///
    /// # Errors
    /// [`StoreError::Behind`] if it does not get there in time.
    pub(crate) async fn reached(&self, revision: Revision) -> Result<(), StoreError> {
        let mut applied = self.applied();
        let reached = applied.wait_for(|applied| *applied >= revision);
        match tokio::time::timeout(PATIENCE, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(self.behind()),
        }
    }

    fn behind(&self) -> StoreError {
        StoreError::Behind { applied: self.load().revision }
    }
}

#[async_trait]
impl buildly_auth::Snapshots for Hot {
    fn current(&self) -> Arc<buildly_auth::Snapshot> {
        Arc::clone(&self.snapshot.load().auth)
    }

    async fn with_organization(
        &self,
        organization: OrganizationId,
    ) -> Result<Arc<buildly_auth::Snapshot>, StoreError> {
        let current = buildly_auth::Snapshots::current(self);
        if current.has_organization(organization) {
            return Ok(current);
        }
        let (loaded, done) = oneshot::channel();
        let wanted = OrganizationWanted { organization, loaded };
        let load = async {
            self.wanted.send(wanted).await.map_err(|_| self.behind())?;
            done.await.map_err(|_| self.behind())?
        };
        tokio::time::timeout(PATIENCE, load).await.map_err(|_| self.behind())??;
        Ok(buildly_auth::Snapshots::current(self))
    }
}

impl buildly_gateway::Snapshots for Hot {
    fn current(&self) -> Arc<buildly_gateway::Snapshot> {
        Arc::clone(&self.snapshot.load().gateway)
    }
}
