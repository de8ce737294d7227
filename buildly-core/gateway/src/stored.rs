//! A service as a row of a table: what every storage keeps of it, and how it is read back.

use std::str::FromStr as _;

use buildly_model::{ServiceId, StoreError, Timestamp};
use uuid::Uuid;

use crate::{Credential, Service, ServiceName, SpecificationMark};

/// The columns of a service. Policy and instances are JSON: both are always read and written
/// whole, and a server one version behind leaves out what it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredService {
    /// Given by the storage.
    pub number: i64,
    /// Its id.
    pub id: Uuid,
    /// Its name; unique.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where its document is.
    pub docs_endpoint: Option<String>,
    /// The text form of its credential.
    pub credential: String,
    /// JSON.
    pub policy: String,
    /// JSON.
    pub instances: String,
    /// Counts its changes.
    pub version: i64,
    /// Microseconds.
    pub created_at: i64,
    /// Microseconds.
    pub updated_at: i64,
}

impl StoredService {
    /// The row of a service.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it cannot be written as JSON.
    pub fn of(service: &Service) -> Result<Self, StoreError> {
        let json =
            |error: serde_json::Error| StoreError::corrupt(format!("a service cannot be kept: {error}"));
        Ok(Self {
            number: service.number,
            id: service.id.as_uuid(),
            name: service.name.to_string(),
            title: service.title.clone(),
            description: service.description.clone(),
            docs_endpoint: service.docs_endpoint.clone(),
            credential: service.credential.to_string(),
            policy: serde_json::to_string(&service.policy).map_err(json)?,
            instances: serde_json::to_string(&service.instances).map_err(json)?,
            version: i64::try_from(service.version).unwrap_or(i64::MAX),
            created_at: service.created_at.as_microseconds(),
            updated_at: service.updated_at.as_microseconds(),
        })
    }

    /// The service of a row, with the marks of its stored documents.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] says which column cannot be read.
    pub fn into_service(self, specifications: Vec<SpecificationMark>) -> Result<Service, StoreError> {
        let name = self.name.clone();
        let broken = |column: &str, why: &str| {
            StoreError::corrupt(format!("`{column}` of service `{name}` cannot be read: {why}"))
        };
        Ok(Service {
            id: ServiceId::from_uuid(self.id),
            number: self.number,
            credential: Credential::from_str(&self.credential).map_err(|why| broken("credential", why))?,
            policy: serde_json::from_str(&self.policy).map_err(|why| broken("policy", &why.to_string()))?,
            instances: serde_json::from_str(&self.instances)
                .map_err(|why| broken("instances", &why.to_string()))?,
            version: u64::try_from(self.version).map_err(|_| broken("version", "it is negative"))?,
            name: ServiceName::stored(self.name),
            title: self.title,
            description: self.description,
            docs_endpoint: self.docs_endpoint,
            specifications,
            created_at: Timestamp::from_microseconds(self.created_at),
            updated_at: Timestamp::from_microseconds(self.updated_at),
        })
    }
}
