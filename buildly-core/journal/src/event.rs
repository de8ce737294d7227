//! A fact that happened.

use std::borrow::Cow;

use buildly_model::{Clock, EventId, Identity, OrganizationId, Principal, Random, Timestamp};
use serde::Serialize;

use crate::{EventHash, Salt};

/// A fact to be written with the change that made it true.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// What happened: area, thing and past participle, such as `auth.group.deleted`.
    pub kind: Cow<'static, str>,
    /// The thing that it happened to: an id, as text.
    pub subject: String,
    /// Who did it.
    pub actor: Identity,
    /// When it was decided.
    pub at: Timestamp,
    /// The facts, without secrets. Personal data goes here and nowhere else in the event,
    /// since only the payload can be erased later.
    pub payload: serde_json::Value,
}

impl Event {
    /// A fact that `principal` has just brought about.
    ///
    /// A payload that cannot be expressed in JSON is written as `null`.
    pub fn new(
        kind: &'static str,
        subject: impl ToString,
        payload: impl Serialize,
        principal: &Principal,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Self {
        let at = clock.now();
        Self {
            id: EventId::generate(at, random),
            kind: Cow::Borrowed(kind),
            subject: subject.to_string(),
            actor: principal.identity,
            at,
            payload: serde_json::to_value(payload).unwrap_or_default(),
        }
    }
}

/// An event as it stands in the journal, with its place in its chain.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// Whose chain it is in; `None` is the deployment's own.
    pub organization: Option<OrganizationId>,
    /// Its number in that chain, from 1, without gaps.
    pub sequence: u64,
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: String,
    /// What it happened to.
    pub subject: String,
    /// Who did it, as text: `user:…`, `service_account:…`, `application:…` or `anonymous`.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The payload's exact JSON text, as stored and digested; `None` once erased.
    pub payload: Option<String>,
    /// The random salt of the payload's digest.
    pub salt: Salt,
    /// SHA-256 of salt and payload.
    pub payload_digest: EventHash,
    /// The hash of the event before it in the chain; all zero for the first.
    pub previous: EventHash,
    /// This event's own hash.
    pub hash: EventHash,
}
