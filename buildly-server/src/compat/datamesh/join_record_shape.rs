//! What join records look like, and how their keys are read.

use buildly_core::mesh::{DescribedJoinRecord, JoinRecordFilter, Key};
use buildly_model::FieldError;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::request::{Fields, Query};

/// A join record: two linked records of the caller's organization.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JoinRecordBody {
    /// Its id.
    join_record_uuid: Uuid,
    /// The key of the record at the origin, if it is a number.
    record_id: Option<i64>,
    /// The key of the record at the origin, if it is a UUID.
    record_uuid: Option<Uuid>,
    /// The key of the related record, if it is a number.
    related_record_id: Option<i64>,
    /// The key of the related record, if it is a UUID.
    related_record_uuid: Option<Uuid>,
    /// Whose it is.
    organization: Uuid,
    /// The service and model at the origin, such as `crmContact`.
    origin_model_name: String,
    /// The service and model of the related record.
    related_model_name: String,
}

impl From<DescribedJoinRecord> for JoinRecordBody {
    fn from(one: DescribedJoinRecord) -> Self {
        Self {
            join_record_uuid: one.record.id.as_uuid(),
            record_id: one.record.origin.as_integer(),
            record_uuid: one.record.origin.as_uuid(),
            related_record_id: one.record.related.as_integer(),
            related_record_uuid: one.record.related.as_uuid(),
            organization: one.record.organization.as_uuid(),
            origin_model_name: one.origin_type,
            related_model_name: one.related_type,
        }
    }
}

/// A join record as it shall be; exactly one key a side.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body for the document; it is read field by field")]
pub(super) struct JoinRecordBodyInput {
    /// The service and model at the origin, such as `crmContact`.
    origin_model_name: String,
    /// The service and model of the related record.
    related_model_name: String,
    /// The key of the record at the origin, if it is a number.
    record_id: Option<i64>,
    /// The key of the record at the origin, if it is a UUID.
    record_uuid: Option<Uuid>,
    /// The key of the related record, if it is a number.
    related_record_id: Option<i64>,
    /// The key of the related record, if it is a UUID.
    related_record_uuid: Option<Uuid>,
}

/// The names of the two fields that may hold the key of one side.
pub(super) struct Side {
    id: &'static str,
    uuid: &'static str,
}

/// The record at the origin.
pub(super) const ORIGIN: Side = Side { id: "record_id", uuid: "record_uuid" };
/// The related record.
pub(super) const RELATED: Side = Side { id: "related_record_id", uuid: "related_record_uuid" };

impl Side {
    /// The key of this side; `None` if there is none or it is refused.
    pub(super) fn key(&self, fields: &mut Fields) -> Option<Key> {
        let id = fields.integer(self.id).map(Key::Integer);
        let uuid = fields.parsed::<Uuid>(self.uuid).map(Key::Uuid);
        match (id, uuid) {
            (Some(_), Some(_)) => {
                let sentence = format!("Give either `{}` or `{}`, not both.", self.id, self.uuid);
                fields.refuse(self.uuid, &sentence)
            }
            (id, uuid) => id.or(uuid),
        }
    }

    /// The key of this side, which must be there.
    pub(super) fn required_key(&self, fields: &mut Fields) -> Key {
        let key = self.key(fields);
        if key.is_none() && fields.value(self.id).is_none() && fields.value(self.uuid).is_none() {
            let sentence = format!("Give the record's key as `{}` or `{}`.", self.id, self.uuid);
            return fields.refuse(self.id, &sentence).unwrap_or(Key::Integer(0));
        }
        key.unwrap_or(Key::Integer(0))
    }

    /// The keys that a query lists, comma-separated; `None` if it lists none.
    fn listed(&self, query: &Query) -> Result<Option<Vec<Key>>, FieldError> {
        let ids = listed(query, self.id, |text| text.parse().ok().map(Key::Integer))?;
        let uuids = listed(query, self.uuid, |text| Uuid::try_parse(text).ok().map(Key::Uuid))?;
        // A key is of one kind: both conditions together fit nothing.
        Ok(match (ids, uuids) {
            (Some(_), Some(_)) => Some(Vec::new()),
            (ids, uuids) => ids.or(uuids),
        })
    }
}

fn listed(
    query: &Query,
    name: &str,
    read: impl Fn(&str) -> Option<Key>,
) -> Result<Option<Vec<Key>>, FieldError> {
    let Some(text) = query.first(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    let refused = |text: &str| FieldError::new(name, format!("`{text}` cannot be a key of this kind."));
    texts.map(|text| read(text).ok_or_else(|| refused(text))).collect::<Result<_, _>>().map(Some)
}

/// Which join records a query asks for.
pub(super) fn filter(query: &Query) -> Result<JoinRecordFilter, FieldError> {
    let (origins, related) = (ORIGIN.listed(query)?, RELATED.listed(query)?);
    Ok(JoinRecordFilter { relationship: None, origins, related })
}
