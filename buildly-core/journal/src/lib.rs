//! The journal: facts, chained and fed on.
//!
//! An [`Event`] is a fact that happened in an organization (or in the deployment as a
//! whole). Every state change is written together with its events, as a [`Part`] handed
//! to [`Commit`]; there is no other way to write. So the journal is audit trail, outbox,
//! invalidation feed and replay source in one.

mod chain;
mod checkpoint;
mod event;
mod feed;
mod history;
mod nodes;
mod part;

pub use chain::{Broken, Chain, EventHash, Salt, payload_digest};
pub use checkpoint::{Checkpoint, CheckpointError, Checkpoints, public_key};
pub use event::{Event, StoredEvent};
pub use feed::{Feed, FeedEvent, FeedPage, FeedPosition};
pub use history::{EventFilter, Head, History};
pub use nodes::{LeaseId, Nodes, SeenLease};
pub use part::{Commit, Part};
