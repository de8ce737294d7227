//! Webhooks: events of an organization, sent to addresses that its administrators name.
//!
//! Signed as [Standard Webhooks](https://www.standardwebhooks.com) 1.0 says, the body a
//! [`CloudEvent`](crate::CloudEvent). Each webhook is a lane of its own, so its events come in
//! order, and one that does not answer holds up no other. A failing one is tried again with
//! growing pauses, and disabled after [`DISABLED_AFTER`] or when it answers `410 Gone`.

mod delivery;
mod operations;
mod receiver;
mod sending;
mod signature;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{Commit, History};
use buildly_model::{Clock, Random, Timestamp, WebhookId};
use bytes::Bytes;
use http::{HeaderMap, Uri};

pub use delivery::{DELIVERIES_KEPT, Delivery};
pub use operations::{NewWebhook, WebhookPatch, WebhookView, Webhooks};
pub use receiver::{KINDS_MAX, WEBHOOKS_MAX};
pub use sending::Deliveries;
pub use signature::{SigningSecret, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP};

use crate::{Access, Change, Store};

/// The name of the webhooks' transport.
pub const TRANSPORT: &str = "webhooks";

/// How long a webhook may fail without a break before it is disabled.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * 24 * 3600);

/// A receiver of an organization's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where events go.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// Which events: of one of these kinds, or whose kind begins with one and a full stop; all
    /// if there are none.
    pub kinds: Vec<String>,
    /// Whether events are sent.
    pub state: State,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Webhook {
    /// Whether it gets events of this kind.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        let begins = |wanted: &String| kind.strip_prefix(wanted.as_str()).is_some_and(ends_a_word);
        self.kinds.is_empty() || self.kinds.iter().any(begins)
    }
}

fn ends_a_word(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}

/// Whether a webhook's events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// They are.
    Active,
    /// Somebody has paused it: events wait.
    Paused,
    /// It has failed for too long: events wait until somebody resumes it.
    Disabled,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

/// A text that should be a state is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `active`, `paused` or `disabled`")]
pub struct ParseStateError;

impl FromStr for State {
    type Err = ParseStateError;

    fn from_str(text: &str) -> Result<Self, ParseStateError> {
        [Self::Active, Self::Paused, Self::Disabled]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(ParseStateError)
    }
}

/// A request to a webhook.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where to.
    pub url: Uri,
    /// What it is signed with, and what it is.
    pub headers: HeaderMap,
    /// The event.
    pub body: Bytes,
}

/// Sends requests to addresses outside.
#[async_trait]
pub trait Post: Send + Sync {
    /// Why nothing is ever sent to this address, if so.
    fn refusal(&self, url: &Uri) -> Option<String>;

    /// Sends it, without following redirects, and gives the status of the answer.
    ///
    /// # Errors
    /// A sentence if there was no answer.
    async fn post(&self, message: Message) -> Result<u16, String>;
}

/// What makes the secrets of webhooks, so that none is stored.
pub trait Secrets: Send + Sync {
    /// The secret of this webhook: always the same, and nobody else's.
    fn secret(&self, webhook: WebhookId) -> SigningSecret;
}

/// What webhooks are made of.
#[derive(Clone)]
pub struct Parts {
    /// Reads lanes and webhooks.
    pub store: Arc<dyn Store>,
    /// Reads events.
    pub history: Arc<dyn History>,
    /// Writes.
    pub commits: Arc<dyn Commit<Change>>,
    /// Knows administrators.
    pub access: Arc<dyn Access>,
    /// Sends.
    pub post: Arc<dyn Post>,
    /// Knows secrets.
    pub secrets: Arc<dyn Secrets>,
    /// Knows the time.
    pub clock: Arc<dyn Clock>,
    /// Draws ids.
    pub random: Arc<dyn Random>,
}

#[cfg(test)]
mod tests {
    use buildly_model::{Timestamp, WebhookId};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_webhook_wants_its_kinds_and_those_below_them() {
        let webhook = |kinds: &[&str]| Webhook {
            id: WebhookId::from_uuid(Uuid::nil()),
            url: "https://example.org".to_owned(),
            description: String::new(),
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            state: State::Active,
            created_at: Timestamp::EPOCH,
        };
        for (kinds, kind, wants) in [
            (&[] as &[&str], "auth.user.created", true),
            (&["auth"], "auth.user.created", true),
            (&["auth.user"], "auth.user.created", true),
            (&["auth.user.created"], "auth.user.created", true),
            (&["auth.use"], "auth.user.created", false),
            (&["mesh", "auth.user.created"], "auth.user.created", true),
            (&["mesh"], "auth.user.created", false),
            (&["auth.user.created.more"], "auth.user.created", false),
        ] {
            assert_eq!(webhook(kinds).wants(kind), wants, "{kinds:?} {kind}");
        }
    }

    #[test]
    fn a_state_is_its_word() {
        for state in [State::Active, State::Paused, State::Disabled] {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("off".parse::<State>(), Err(ParseStateError));
    }
}
