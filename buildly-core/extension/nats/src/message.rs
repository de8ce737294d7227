//! What an event is as a message.

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use buildly_extension::CloudEvent;
use buildly_journal::StoredEvent;

/// What headers and protocol take beside the body, at most.
const HEAD_BYTES_MAX: usize = 4096;

/// The subject of an event: no part of it is empty or a wildcard.
#[must_use]
pub fn subject_of(prefix: &str, event: &StoredEvent) -> String {
    let chain = event.organization.map_or_else(|| "deployment".to_owned(), |id| id.to_string());
    let kind: Vec<String> = event.kind.split('.').map(token).collect();
    format!("{prefix}.{chain}.{}", kind.join("."))
}

fn token(word: &str) -> String {
    let plain = |character: char| {
        let is_plain = character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        if is_plain { character } else { '_' }
    };
    if word.is_empty() { "_".to_owned() } else { word.chars().map(plain).collect() }
}

/// The headers and the body of an event. A server takes messages up to a size; the data of an
/// event that is larger is left out, so that it does not hold up all later ones.
pub(crate) fn message_of(event: &StoredEvent, payload_bytes_max: usize) -> (HeaderMap, Vec<u8>) {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, event.id.to_string());
    headers.insert("content-type", CloudEvent::MEDIA_TYPE);
    let body = CloudEvent::of(event).to_json();
    if body.len().saturating_add(HEAD_BYTES_MAX) <= payload_bytes_max {
        return (headers, body);
    }
    tracing::warn!(event = %event.id, bytes = body.len(), "an event is too large for NATS; its data is left out");
    headers.insert("buildly-data-left-out", "too large");
    (headers, CloudEvent::of(event).without_data().to_json())
}

#[cfg(test)]
mod tests {
    use buildly_journal::{EventHash, Salt};
    use buildly_model::{EventId, OrganizationId, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(organization: Option<u128>, kind: &str, payload: &str) -> StoredEvent {
        StoredEvent {
            organization: organization.map(|number| OrganizationId::from_uuid(Uuid::from_u128(number))),
            sequence: 1,
            id: EventId::from_uuid(Uuid::from_u128(1)),
            kind: kind.to_owned(),
            subject: "thing".to_owned(),
            actor: "anonymous".to_owned(),
            at: Timestamp::EPOCH,
            payload: Some(payload.to_owned()),
            salt: Salt([0; 16]),
            payload_digest: EventHash([0; 32]),
            previous: EventHash([0; 32]),
            hash: EventHash([0; 32]),
        }
    }

    #[test]
    fn a_subject_has_no_empty_part_and_no_wildcard() {
        for (organization, kind, expected) in [
            (None, "auth.group.created", "buildly.deployment.auth.group.created"),
            (Some(10), "a", "buildly.00000000-0000-0000-0000-00000000000a.a"),
            (None, "a..b.*.>.c d", "buildly.deployment.a._.b._._.c_d"),
            (None, "", "buildly.deployment._"),
        ] {
            assert_eq!(subject_of("buildly", &event(organization, kind, "{}")), expected, "{kind}");
        }
    }

    #[test]
    fn an_event_that_is_too_large_goes_without_its_data() {
        let event = event(None, "auth.group.created", &format!("\"{}\"", "a".repeat(10_000)));
        let (headers, whole) = message_of(&event, 1_000_000);
        assert!(whole.len() > 10_000 && headers.get("buildly-data-left-out").is_none());
        let (headers, body) = message_of(&event, 10_000);
        assert!(body.len() < 1000 && headers.get("buildly-data-left-out").is_some());
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["data"], &body["id"]), (&serde_json::Value::Null, &event.id.to_string().into()));
    }
}
