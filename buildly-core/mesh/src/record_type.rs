//! A kind of record that a service owns.

use buildly_model::RecordTypeId;

/// A kind of record that a service owns (`logicmodulemodel` on the old wire).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordType {
    /// Its id.
    pub id: RecordTypeId,
    /// The name of the service, without slashes; `core` for records of the core itself.
    pub service: String,
    /// What one record is called, such as `Product`.
    pub model: String,
    /// The list's path below the service, such as `/product/`, as it was given.
    pub endpoint: String,
    /// The field of a record that holds its key.
    pub key_field: String,
    /// Whether the core itself keeps these records.
    pub is_local: bool,
}

impl RecordType {
    /// The name by which join records speak of it on the old wire, such as `crmContact`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}{}", self.service, self.model)
    }

    /// The endpoint without the slashes around it.
    #[must_use]
    pub fn path(&self) -> &str {
        self.endpoint.trim_matches('/')
    }
}

/// A record type as it shall be; nothing of it has been checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordTypeInput {
    /// The name of the service; slashes around it do not count.
    pub service: String,
    /// What one record is called.
    pub model: String,
    /// The list's path below the service.
    pub endpoint: String,
    /// The field of a record that holds its key; `id` when nobody says another.
    pub key_field: String,
    /// Whether the core itself keeps these records.
    pub is_local: bool,
}

impl From<RecordType> for RecordTypeInput {
    fn from(record_type: RecordType) -> Self {
        Self {
            service: record_type.service,
            model: record_type.model,
            endpoint: record_type.endpoint,
            key_field: record_type.key_field,
            is_local: record_type.is_local,
        }
    }
}

/// What of a record type changes; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordTypeUpdate {
    /// The name of the service.
    pub service: Option<String>,
    /// What one record is called.
    pub model: Option<String>,
    /// The list's path below the service.
    pub endpoint: Option<String>,
    /// The field of a record that holds its key.
    pub key_field: Option<String>,
    /// Whether the core itself keeps these records.
    pub is_local: Option<bool>,
}

impl RecordTypeUpdate {
    /// What `current` becomes by it.
    #[must_use]
    pub fn of(self, current: RecordType) -> RecordTypeInput {
        RecordTypeInput {
            service: self.service.unwrap_or(current.service),
            model: self.model.unwrap_or(current.model),
            endpoint: self.endpoint.unwrap_or(current.endpoint),
            key_field: self.key_field.unwrap_or(current.key_field),
            is_local: self.is_local.unwrap_or(current.is_local),
        }
    }
}
