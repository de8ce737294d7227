//! The hash chain: each event carries the hash of the one before in its organization.
//!
//! The hash covers a salted digest of the payload, not the payload, so that personal data
//! can be erased later without breaking the chain. What the chain proves: no event was
//! changed, removed or put in between without changing every hash after it. What it does
//! not prove without a [`crate::Checkpoint`] kept elsewhere: that the end was not cut off,
//! or that the whole chain was not written anew.

use std::fmt;

use aws_lc_rs::digest;
use buildly_model::{OrganizationId, Random};

use crate::{Event, StoredEvent};

/// A SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventHash(pub [u8; 32]);

impl EventHash {
    /// What the first event of a chain points back to.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for EventHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for EventHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Random bytes that keep a payload's digest from being guessed once the payload is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

/// The digest of a payload under its salt.
#[must_use]
pub fn payload_digest(salt: &Salt, payload: &str) -> EventHash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&salt.0);
    context.update(payload.as_bytes());
    finish(context)
}

/// The end of one chain: where the next event is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// Whose chain; `None` is the deployment's own.
    pub organization: Option<OrganizationId>,
    /// The number of its last event; 0 if it has none.
    pub sequence: u64,
    /// The hash of its last event.
    pub hash: EventHash,
}

/// Where a chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence}{} {reason}", if id.is_empty() { String::new() } else { format!(" ({id})") })]
pub struct Broken {
    /// The number of the first event that does not fit.
    pub sequence: u64,
    /// Its id; empty if it is not there.
    pub id: String,
    /// What does not fit.
    pub reason: &'static str,
}

impl Chain {
    /// A chain without events.
    #[must_use]
    pub const fn empty(organization: Option<OrganizationId>) -> Self {
        Self { organization, sequence: 0, hash: EventHash::ZERO }
    }

    /// Links one event to the end and moves the end on.
    pub fn link(&mut self, event: &Event, random: &dyn Random) -> StoredEvent {
        let mut salt = Salt([0; 16]);
        random.fill(&mut salt.0);
        let payload = event.payload.to_string();
        let mut stored = StoredEvent {
            organization: self.organization,
            sequence: self.sequence + 1,
            id: event.id,
            kind: event.kind.clone().into_owned(),
            subject: event.subject.clone(),
            actor: event.actor.to_string(),
            at: event.at,
            payload_digest: payload_digest(&salt, &payload),
            payload: Some(payload),
            salt,
            previous: self.hash,
            hash: EventHash::ZERO,
        };
        stored.hash = hash(&stored);
        self.sequence = stored.sequence;
        self.hash = stored.hash;
        stored
    }

    /// Checks that `event` is the next one, unchanged, and moves the end on.
    ///
    /// # Errors
    /// [`Broken`] names the event and what does not fit; the end stays.
    pub fn verify(&mut self, event: &StoredEvent) -> Result<(), Broken> {
        let broken = |reason| Broken { sequence: event.sequence, id: event.id.to_string(), reason };
        if event.organization != self.organization {
            return Err(broken("stands in the wrong chain"));
        }
        if event.sequence != self.sequence + 1 {
            return Err(broken("does not follow the one before: an event is missing or doubled"));
        }
        if event.previous != self.hash {
            return Err(broken("does not point back to the event before it"));
        }
        if let Some(payload) = &event.payload
            && payload_digest(&event.salt, payload) != event.payload_digest
        {
            return Err(broken("has a payload that was changed"));
        }
        if hash(event) != event.hash {
            return Err(broken("was changed"));
        }
        self.sequence = event.sequence;
        self.hash = event.hash;
        Ok(())
    }
}

/// Every field has its length before it, so that no two different events hash the same bytes.
fn hash(event: &StoredEvent) -> EventHash {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut field = |bytes: &[u8]| {
        context.update(&(bytes.len() as u64).to_be_bytes());
        context.update(bytes);
    };
    field(b"buildly journal 1");
    field(&event.previous.0);
    field(event.organization.map(|organization| organization.as_uuid()).unwrap_or_default().as_bytes());
    field(&event.sequence.to_be_bytes());
    field(event.id.as_uuid().as_bytes());
    field(event.kind.as_bytes());
    field(event.subject.as_bytes());
    field(event.actor.as_bytes());
    field(&event.at.as_microseconds().to_be_bytes());
    field(&event.payload_digest.0);
    finish(context)
}

fn finish(context: digest::Context) -> EventHash {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    EventHash(bytes)
}

#[cfg(test)]
mod tests;
