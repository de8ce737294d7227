//! An event as it looks outside: CloudEvents 1.0 in JSON (`application/cloudevents+json`).

use buildly_journal::StoredEvent;
use buildly_model::OrganizationId;
use serde::Serialize;
use serde_json::value::RawValue;

/// An event as it looks outside.
///
/// `id` is the event's own, the same however often it is sent; `sequence` is its number in its
/// organization's chain. Both are texts, and so is every extension attribute
/// (`sequence`, `organization`, `actor`).
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: &'a str,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    sequence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
    actor: &'a str,
    data: Option<&'a RawValue>,
}

impl<'a> CloudEvent<'a> {
    /// The media type of [`CloudEvent::to_json`].
    pub const MEDIA_TYPE: &'static str = "application/cloudevents+json";

    /// The event as it stands in the journal; `data` is `null` if the payload was erased.
    #[must_use]
    pub fn of(event: &'a StoredEvent) -> Self {
        Self {
            specversion: "1.0",
            id: event.id.to_string(),
            source: source(event.organization),
            kind: &event.kind,
            subject: &event.subject,
            time: event.at.to_string(),
            datacontenttype: "application/json",
            sequence: event.sequence.to_string(),
            organization: event.organization.map(|organization| organization.to_string()),
            actor: &event.actor,
            data: event.payload.as_deref().and_then(|payload| serde_json::from_str(payload).ok()),
        }
    }

    /// The same without its data, for where that is too large.
    #[must_use]
    pub fn without_data(self) -> Self {
        Self { data: None, ..self }
    }

    /// The JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Nothing in it can fail to become JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A URN, since a deployment need not know its own address.
fn source(organization: Option<OrganizationId>) -> String {
    match organization {
        Some(organization) => format!("urn:buildly:organization:{organization}"),
        None => "urn:buildly:deployment".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use buildly_journal::{EventHash, Salt};
    use buildly_model::{EventId, Timestamp};
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn event(organization: Option<OrganizationId>, payload: Option<&str>) -> StoredEvent {
        StoredEvent {
            organization,
            sequence: 7,
            id: EventId::from_uuid(Uuid::from_u128(1)),
            kind: "auth.group.created".to_owned(),
            subject: "42".to_owned(),
            actor: "anonymous".to_owned(),
            at: Timestamp::from_seconds(0),
            payload: payload.map(str::to_owned),
            salt: Salt([0; 16]),
            payload_digest: EventHash([0; 32]),
            previous: EventHash([0; 32]),
            hash: EventHash([0; 32]),
        }
    }

    #[test]
    fn an_event_has_the_required_attributes_and_its_payload() {
        let acme = OrganizationId::from_uuid(Uuid::from_u128(0xacae));
        let event = event(Some(acme), Some(r#"{"name":"Sales"}"#));
        let read: Value = serde_json::from_slice(&CloudEvent::of(&event).to_json()).unwrap();
        assert_eq!(
            read,
            json!({
                "specversion": "1.0", "id": event.id.to_string(), "source": format!("urn:buildly:organization:{acme}"),
                "type": "auth.group.created", "subject": "42", "time": event.at.to_string(),
                "datacontenttype": "application/json", "sequence": "7", "organization": acme.to_string(),
                "actor": "anonymous", "data": {"name": "Sales"},
            })
        );
    }

    #[test]
    fn an_erased_payload_is_null_and_the_deployment_is_no_organization() {
        let event = event(None, None);
        let read: Value = serde_json::from_slice(&CloudEvent::of(&event).to_json()).unwrap();
        assert_eq!((&read["data"], &read["source"]), (&Value::Null, &json!("urn:buildly:deployment")));
        assert!(read.get("organization").is_none());
    }
}
