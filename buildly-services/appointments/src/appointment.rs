//! A time that is taken in a calendar.

use buildly_kit::{FieldError, OnDelete, Overlap, Record, RecordType};
use buildly_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::local_time;

const ATTENDEES_MAX: usize = 500;

/// Whether an appointment takes place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It takes place.
    #[default]
    Confirmed,
    /// It may take place; its time is taken until that is decided.
    Tentative,
    /// It does not take place; its time is free again.
    Cancelled,
}

/// An appointment: from its start up to, but without, its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appointment {
    /// The calendar that it is in.
    pub calendar: Uuid,
    /// What it is about.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// More about it.
    #[schema(max_length = 5000)]
    pub description: Option<String>,
    /// Where it is.
    #[schema(max_length = 300)]
    pub location: Option<String>,
    /// When it begins: an instant (RFC 3339), a time with its zone such as
    /// `2026-11-23T18:30:00[Europe/Berlin]` (RFC 9557), or a local time in `time_zone`. Shown in UTC.
    #[schema(value_type = String, format = "date-time")]
    pub starts: Timestamp,
    /// When it ends, written as its start is.
    #[schema(value_type = String, format = "date-time")]
    pub ends: Timestamp,
    /// The IANA zone that it is planned in, such as `Europe/Berlin`. Changing it alone moves nothing.
    #[schema(max_length = 60)]
    pub time_zone: Option<String>,
    /// Whether it takes place.
    #[serde(default)]
    pub status: Status,
    /// Who takes part: users or contacts, at most 500.
    #[serde(default)]
    pub attendees: Vec<Uuid>,
    /// The contact that it is with, as the CRM knows it.
    pub contact: Option<Uuid>,
}

impl Record for Appointment {
    fn record_type() -> RecordType {
        RecordType::new("appointment", "appointments")
            .reference("calendar", "calendar", OnDelete::Refuse)
            .without_overlap(Overlap::of("calendar", "starts", "ends").unless("status", "cancelled"))
            .filterable(&["starts", "ends", "status", "contact"])
            .sortable(&["starts", "ends"])
            .searchable(&["title", "description", "location"])
            .ordered_by(&["starts"])
    }

    fn read(mut members: Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
        let mut errors: Vec<FieldError> = local_time::read_zone(&mut members).err().into_iter().collect();
        for field in ["starts", "ends"] {
            errors.extend(local_time::read_time(&mut members, field).err());
        }
        if errors.is_empty() { Ok(members) } else { Err(errors) }
    }

    fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.ends <= self.starts {
            let message =
                format!("Expected an instant after the start; {} is not after {}.", self.ends, self.starts);
            errors.push(FieldError::new("ends", message));
        }
        if self.attendees.len() > ATTENDEES_MAX {
            let message = format!("Expected at most {ATTENDEES_MAX}; these are {}.", self.attendees.len());
            errors.push(FieldError::new("attendees", message));
        }
        errors
    }
}
