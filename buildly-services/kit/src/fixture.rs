//! A record type for the tests of this crate.

use buildly_model::OrganizationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Record, RecordType};

/// A thing with a field of each sort.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Thing {
    /// Its name.
    #[schema(min_length = 1, max_length = 50)]
    pub(crate) name: String,
    /// How many there are.
    #[schema(minimum = 0)]
    pub(crate) count: Option<i64>,
    /// Said about it.
    pub(crate) note: Option<String>,
    /// Which colour it has.
    #[serde(default)]
    pub(crate) colour: Colour,
}

/// A colour.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Colour {
    #[default]
    Red,
    Green,
}

impl Record for Thing {
    fn record_type() -> RecordType {
        RecordType::new("thing", "things")
            .unique(&["name"])
            .filterable(&["name", "count", "colour"])
            .sortable(&["name", "count"])
            .searchable(&["name", "note"])
    }
}

pub(crate) fn acme() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(0xACE))
}
