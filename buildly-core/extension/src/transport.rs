//! Transports: what carries events out.

use async_trait::async_trait;
use buildly_journal::StoredEvent;
use buildly_model::OrganizationId;

use crate::Trouble;

/// Carries the journal's events out of the deployment.
///
/// Give one to `Builder::transport`. The facade calls [`Transport::carry`] for one lane at a
/// time and never twice at once for the same one, with the events after those that are out,
/// in the order of the organization's chain. What was carried is remembered afterwards, so
/// after a crash the last batch may come again: a receiver that must not see an event twice
/// tells it by its id.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The name under which its positions are kept; another name begins anew.
    fn name(&self) -> &str;

    /// Which lanes it has.
    fn lanes(&self) -> Lanes {
        Lanes::OneEach
    }

    /// Brings these events out, in their order, and says how many of them are.
    ///
    /// It has ten seconds; what is not out then is tried again. Events that this transport
    /// does not care for count as out.
    async fn carry(&self, batch: Batch<'_>) -> Outcome;
}

/// Which lanes a transport has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lanes {
    /// One for each organization and one for the deployment's own events, from the first event on.
    OneEach,
    /// Those that were opened, such as one for each webhook.
    Opened,
}

/// Events to bring out.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// Whose they are; `None` is the deployment.
    pub organization: Option<OrganizationId>,
    /// Which lane of the organization; empty for [`Lanes::OneEach`].
    pub lane: &'a str,
    /// In the order of the chain, at least one.
    pub events: &'a [StoredEvent],
    /// What was wrong with the first of them, if it was tried before.
    pub trouble: Option<&'a Trouble>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How many of the events, from the first on, are out.
    pub carried: usize,
    /// What went wrong with the next one; nothing if the transport only wants to be asked again.
    pub fault: Option<String>,
}

impl Outcome {
    /// All of them are out.
    #[must_use]
    pub const fn all(batch: &Batch<'_>) -> Self {
        Self { carried: batch.events.len(), fault: None }
    }

    /// The first `carried` are out, and the next one could not be brought out.
    #[must_use]
    pub fn failed(carried: usize, fault: impl Into<String>) -> Self {
        Self { carried, fault: Some(fault.into()) }
    }
}
