//! Partners: third parties that a deployment exchanges with.

use async_trait::async_trait;
use buildly_model::{ErrorKind, OrganizationId};
use serde_json::Value;

/// Exchanges with a third party: fetches what it has, or hands over what it is to get.
///
/// Give one to `Builder::partner`. It then stands behind the gateway as a service with one
/// operation, `exchange`, so that runs of workflows call it as they call any service: durably,
/// under the rights of that moment, within a deadline, again where it may pass. What it brings
/// goes on to other services by the levels that follow; a partner itself writes nothing here.
#[async_trait]
pub trait Partner: Send + Sync {
    /// The name of the service that stands for it: a template calls `NAME.exchange`. It is reached
    /// at `http://NAME.partner.localhost`, which is what it is registered with.
    fn name(&self) -> &str;

    /// Exchanges once.
    ///
    /// An exchange may come again under the same key after its answer was lost: whoever hands
    /// something over lets the third party know the key, and whoever only fetches need not care.
    ///
    /// # Errors
    /// [`PartnerFault`] says whether it makes sense to try again.
    async fn exchange(&self, exchange: Exchange) -> Result<Value, PartnerFault>;
}

/// One exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// For whom: what is fetched or handed over belongs to this organization.
    pub organization: OrganizationId,
    /// The same in all attempts of one exchange; a call from outside need not have one.
    pub key: Option<String>,
    /// What whoever asks gives along: the level's `body`, null without one.
    pub given: Value,
}

/// Why an exchange did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartnerFault {
    /// The partner does not take it, or what it has cannot be used; trying again changes nothing.
    #[error("{0}")]
    Refused(String),
    /// The partner cannot be reached or is busy; it may pass.
    #[error("{0}")]
    Unavailable(String),
}

impl PartnerFault {
    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(_) => ErrorKind::Invalid,
            Self::Unavailable(_) => ErrorKind::Unavailable,
        }
    }
}
