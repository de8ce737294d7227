//! How records of services relate, and which are linked: what `?join` reads.

use buildly_core::Buildly;
use buildly_core::mesh::{JoinRecordInput, Key, RecordTypeInput, RelationshipInput};
use buildly_model::RecordTypeId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Caller;
use crate::failure::Failure;

/// A kind of record to declare.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRecordType {
    #[serde(default)]
    caller: Caller,
    service: String,
    model: String,
    endpoint: String,
    key_field: String,
}

/// A kind of record, or a relationship.
#[derive(Serialize)]
pub(super) struct Declared {
    id: Uuid,
    name: String,
}

pub(super) async fn create_record_type(buildly: &Buildly, new: NewRecordType) -> Result<Declared, Failure> {
    let principal = new.caller.principal(buildly).await?;
    let input = RecordTypeInput {
        service: new.service,
        model: new.model,
        endpoint: new.endpoint,
        key_field: new.key_field,
        is_local: false,
    };
    let made = buildly.mesh().create_record_type(&principal, input).await?;
    Ok(Declared { id: made.id.as_uuid(), name: made.full_name() })
}

/// A relationship to declare.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRelationship {
    #[serde(default)]
    caller: Caller,
    key: String,
    origin: Uuid,
    related: Uuid,
    foreign_key: Option<String>,
}

pub(super) async fn create_relationship(
    buildly: &Buildly,
    new: NewRelationship,
) -> Result<Declared, Failure> {
    let principal = new.caller.principal(buildly).await?;
    let input = RelationshipInput {
        key: new.key,
        origin: RecordTypeId::from_uuid(new.origin),
        related: RecordTypeId::from_uuid(new.related),
        foreign_key: new.foreign_key,
    };
    let made = buildly.mesh().create_relationship(&principal, input).await?.relationship;
    Ok(Declared { id: made.id.as_uuid(), name: made.key })
}

/// Two records to link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLink {
    #[serde(default)]
    caller: Caller,
    /// The full name of the record type, such as `crmContact`.
    origin_type: String,
    origin: Value,
    related_type: String,
    related: Value,
}

pub(super) async fn link(buildly: &Buildly, new: NewLink) -> Result<Uuid, Failure> {
    let principal = new.caller.principal(buildly).await?;
    let key = |field: &str, value: &Value| {
        let expected = "expected a whole number or a text that is not empty";
        Key::of_value(value).ok_or_else(|| Failure::field(field, expected))
    };
    let input = JoinRecordInput {
        origin: key("origin", &new.origin)?,
        related: key("related", &new.related)?,
        origin_type: new.origin_type,
        related_type: new.related_type,
    };
    Ok(buildly.mesh().create_join_record(&principal, input).await?.record.id.as_uuid())
}
