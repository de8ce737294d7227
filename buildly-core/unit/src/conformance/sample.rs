//! Organizations, events and units to test with.

use std::borrow::Cow;
use std::sync::Arc;

use buildly_journal::{Chain, Event, Part, StoredEvent};
use buildly_model::system::System;
use buildly_model::{EventId, Identity, OrganizationId, Revision, Timestamp, UserId};

use crate::{Change, Storage, Unit};

/// The storage of a case.
pub(super) type Store = Arc<dyn Storage>;

/// The instant of all sample events but those that say another.
pub(super) const NOON: Timestamp = Timestamp::EPOCH;

/// An organization that nobody else has.
#[must_use]
pub fn organization() -> Option<OrganizationId> {
    Some(OrganizationId::generate(NOON, &System))
}

/// An event without a change, by an anonymous actor, at the epoch.
#[must_use]
pub fn event(kind: &'static str, subject: &str) -> Event {
    Event {
        id: EventId::generate(NOON, &System),
        kind: Cow::Borrowed(kind),
        subject: subject.to_owned(),
        actor: Identity::Anonymous,
        at: NOON,
        payload: serde_json::json!({ "subject": subject }),
    }
}

pub(super) fn by_user(event: Event) -> (Event, UserId) {
    let user = UserId::generate(NOON, &System);
    (Event { actor: Identity::User(user), ..event }, user)
}

pub(super) fn part(organization: Option<OrganizationId>, events: Vec<Event>) -> Part<Change> {
    Part::of_all(organization, Vec::new(), events)
}

pub(super) fn unit(parts: impl Into<Vec<Part<Change>>>) -> Unit {
    Unit { parts: parts.into() }
}

/// Writes one event a subject, each in a unit of its own.
pub(super) async fn write(
    store: &Store,
    organization: Option<OrganizationId>,
    subjects: &[&str],
) -> Revision {
    let mut revision = Revision::ZERO;
    for subject in subjects {
        let unit = unit([part(organization, vec![event("test.thing.happened", subject)])]);
        revision = store.commit(unit).await.expect("an event is written");
    }
    revision
}

/// All events of a chain, read in pages, each checked to be the next one; then its end.
pub(super) async fn verified(
    store: &Store,
    organization: Option<OrganizationId>,
) -> (Vec<StoredEvent>, Chain) {
    let mut chain = Chain::empty(organization);
    let mut events = Vec::new();
    // Small pages first, so that their borders are crossed, then as large as they come.
    let mut page_size = 7;
    loop {
        let page = store.events(organization, chain.sequence, page_size).await.expect("events are read");
        page.iter().try_for_each(|event| chain.verify(event)).expect("the chain holds");
        if page.is_empty() {
            break;
        }
        events.extend(page);
        page_size = (page_size * 2).min(1000);
    }
    let head = store.head(organization).await.expect("the head is read");
    assert_eq!(head, chain, "the head is the end of the chain");
    (events, chain)
}

pub(super) fn subjects(events: &[StoredEvent]) -> Vec<&str> {
    events.iter().map(|event| event.subject.as_str()).collect()
}
