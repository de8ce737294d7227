//! One change of all areas, and the port that writes it.
//!
//! A [`Unit`] is data: parts of several areas that are written together or not at all.
//! Each storage implements [`Committer`]; nothing else writes.

#[cfg(feature = "conformance")]
pub mod conformance;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use buildly_journal::Part;
use buildly_model::{Revision, StoreError};

/// What any area can change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Identity, tokens, permissions.
    Auth(buildly_auth::Change),
    /// Services and the gateway's policies.
    Gateway(buildly_gateway::Change),
    /// Record types, relationships, join records.
    Mesh(buildly_mesh::Change),
    /// Templates, runs, people's work.
    Workflow(buildly_workflow::Change),
    /// Webhooks, and how far events are out.
    Extension(buildly_extension::Change),
}

impl From<buildly_auth::Change> for Change {
    fn from(change: buildly_auth::Change) -> Self {
        Self::Auth(change)
    }
}

impl From<buildly_gateway::Change> for Change {
    fn from(change: buildly_gateway::Change) -> Self {
        Self::Gateway(change)
    }
}

impl From<buildly_mesh::Change> for Change {
    fn from(change: buildly_mesh::Change) -> Self {
        Self::Mesh(change)
    }
}

impl From<buildly_workflow::Change> for Change {
    fn from(change: buildly_workflow::Change) -> Self {
        Self::Workflow(change)
    }
}

impl From<buildly_extension::Change> for Change {
    fn from(change: buildly_extension::Change) -> Self {
        Self::Extension(change)
    }
}

/// What is written together or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unit {
    /// The parts, applied in order.
    pub parts: Vec<Part<Change>>,
}

/// The one write port: each storage implements it.
#[async_trait]
pub trait Committer: Send + Sync {
    /// Writes the unit durably and says at which revision a reader sees it.
    ///
    /// # Errors
    /// Any [`StoreError`] but `Behind`; nothing was written then, save when the connection
    /// to the database was lost while it answered.
    async fn commit(&self, unit: Unit) -> Result<Revision, StoreError>;
}

/// Everything that a deployment needs remembered: what a storage is.
#[async_trait]
pub trait Storage:
    Committer
    + buildly_journal::Feed
    + buildly_journal::History
    + buildly_journal::Nodes
    + buildly_auth::Store
    + buildly_gateway::Store
    + buildly_mesh::Store
    + buildly_workflow::Store
    + buildly_workflow::Work
    + buildly_workflow::levels::Store
    + buildly_extension::Store
{
    /// Copies the whole state as it is at one moment to a new file, while it is in use.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file exists or cannot be written, or if this
    /// storage has a better way of its own, which the sentence names.
    async fn backup(&self, target: PathBuf) -> Result<(), StoreError>;

    /// The same storage over connections of its own, where it has any: for the follower and the
    /// keeper of the lease, which may not wait behind requests.
    fn apart(&self) -> Option<Arc<dyn Storage>> {
        None
    }

    /// Finishes what is queued and lets go of files and connections.
    async fn close(&self);
}
