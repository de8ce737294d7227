//! The feed: all events of the deployment in one order that followers read without gaps.

use std::time::Duration;

use async_trait::async_trait;
use buildly_model::{OrganizationId, Revision, StoreError};

/// A place in the feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedPosition {
    /// The revision of the last event read.
    pub revision: Revision,
    /// Its place among the events of that revision.
    pub position: u64,
}

/// What a follower needs to know of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedEvent {
    /// Where it stands.
    pub position: FeedPosition,
    /// In whose chain.
    pub organization: Option<OrganizationId>,
    /// What happened.
    pub kind: String,
    /// What it happened to.
    pub subject: String,
}

/// One read of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The events, in order; none is skipped, however many writers there are.
    pub events: Vec<FeedEvent>,
    /// Where to read on.
    pub next: FeedPosition,
    /// Every event with a revision up to this one has been read now.
    pub complete_to: Revision,
}

/// Reads the feed.
#[async_trait]
pub trait Feed: Send + Sync {
    /// The end of the feed now: whoever loads state after this call and then follows from
    /// here misses nothing.
    async fn feed_end(&self) -> Result<FeedPosition, StoreError>;

    /// The events after `position`, at most `events_max`.
    async fn read_feed(&self, position: FeedPosition, events_max: u32) -> Result<FeedPage, StoreError>;

    /// Waits until something may have been written since the last call, at most `timeout`.
    async fn feed_changed(&self, timeout: Duration);
}
