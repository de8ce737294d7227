//! What appointments are in: a person's time, or a room's.

use buildly_kit::{FieldError, Record, RecordType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{WorkingHours, local_time, working_hours};

/// A calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Calendar {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Whose it is: a user, for example.
    pub owner: Option<Uuid>,
    /// The IANA zone that its working hours are in, such as `Europe/Berlin`.
    #[schema(min_length = 1, max_length = 60)]
    pub time_zone: String,
    /// When there may be appointments at all; without any, always. Free times are within them.
    #[serde(default)]
    pub working_hours: Vec<WorkingHours>,
}

impl Record for Calendar {
    fn record_type() -> RecordType {
        RecordType::new("calendar", "calendars")
            .filterable(&["name", "owner"])
            .sortable(&["name"])
            .searchable(&["name"])
            .ordered_by(&["name"])
    }

    fn read(mut members: Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
        local_time::read_zone(&mut members).map_err(|error| vec![error])?;
        Ok(members)
    }

    fn check(&self) -> Vec<FieldError> {
        working_hours::check(&self.working_hours)
    }
}
