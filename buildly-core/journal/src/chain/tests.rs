use std::borrow::Cow;

use buildly_model::system::System;
use buildly_model::{EventId, Identity, OrganizationId, Random as _, Timestamp};
use proptest::prelude::*;

use super::*;

fn organization() -> OrganizationId {
    OrganizationId::generate(Timestamp::EPOCH, &System)
}

fn chain_of(organization: Option<OrganizationId>, count: u64) -> Vec<StoredEvent> {
    let mut end = Chain::empty(organization);
    (0..count)
        .map(|number| {
            let event = Event {
                id: EventId::generate(Timestamp::EPOCH, &System),
                kind: Cow::Borrowed("test.thing.happened"),
                subject: format!("thing {number}"),
                actor: Identity::Anonymous,
                at: Timestamp::from_microseconds(System.number() as i64 % 1_000_000_000),
                payload: serde_json::json!({ "number": number }),
            };
            end.link(&event, &System)
        })
        .collect()
}

fn verify(organization: Option<OrganizationId>, events: &[StoredEvent]) -> Result<Chain, Broken> {
    let mut end = Chain::empty(organization);
    events.iter().try_for_each(|event| end.verify(event))?;
    Ok(end)
}

#[test]
fn an_untouched_chain_verifies_to_its_last_hash() {
    let organization = Some(organization());
    let events = chain_of(organization, 20);
    let end = verify(organization, &events).unwrap();
    assert_eq!((end.sequence, end.hash), (20, events[19].hash));
}

#[test]
fn an_erased_payload_does_not_break_the_chain() {
    let mut events = chain_of(None, 3);
    events[1].payload = None;
    assert!(verify(None, &events).is_ok());
}

#[test]
fn the_first_event_that_does_not_fit_is_named() {
    type Tamper = fn(&mut Vec<StoredEvent>);
    let tampered: [(&str, Tamper); 8] = [
        ("payload", |events| events[4].payload = Some("{\"number\":5}".to_owned())),
        ("subject", |events| events[4].subject.push('!')),
        ("actor", |events| events[4].actor = "user:somebody else".to_owned()),
        ("kind", |events| events[4].kind = "test.thing.undone".to_owned()),
        ("time", |events| events[4].at = events[4].at.after(std::time::Duration::from_micros(1))),
        ("organization", |events| events[4].organization = Some(organization())),
        ("removed", |events| drop(events.remove(4))),
        ("swapped", |events| events.swap(4, 5)),
    ];
    for (case, tamper) in tampered {
        let mut events = chain_of(None, 9);
        tamper(&mut events);
        let broken = verify(None, &events).expect_err(case);
        assert!((5..=6).contains(&broken.sequence), "{case}: {broken}");
        assert_eq!(broken.id, events[4].id.to_string(), "{case}");
    }
}

proptest! {
    #[test]
    fn a_changed_byte_of_a_hash_is_found(at in 0usize..10, byte in 0usize..32, bit in 0u8..8) {
        let mut events = chain_of(None, 10);
        events[at].hash.0[byte] ^= 1 << bit;
        prop_assert_eq!(verify(None, &events).unwrap_err().sequence, at as u64 + 1);
    }
}
