//! What the mesh asks of its outside; the facade connects it.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_model::{Action, Principal, ServiceId, StoreError};
use bytes::Bytes;

use crate::{Key, RecordType, Snapshot};

/// May this principal? Answered from the permissions' snapshot, without waiting.
pub trait Access: Send + Sync {
    /// Whether `principal` may perform `action` on `service`.
    fn may(&self, principal: &Principal, action: Action, service: ServiceId) -> bool;

    /// Whether `principal` rules the deployment.
    fn is_superuser(&self, principal: &Principal) -> bool;
}

/// What the gateway knows of services. Answered from its snapshot, without waiting.
pub trait Services: Send + Sync {
    /// A number that changes whenever any other answer may have changed.
    fn generation(&self) -> u64;

    /// The service of that name (the first path segment).
    fn find_service(&self, name: &str) -> Option<ServiceId>;

    /// How the records below `path` (such as `product`, without slashes around it) are reached,
    /// by the service's document; `None` if the document has no such path. `key_field` is the
    /// field of a record that holds its key.
    fn find_resource(&self, service: ServiceId, path: &str, key_field: &str) -> Option<Resource>;
}

/// How records of one kind are reached at their service. Paths are those of a
/// [`ServiceCall`](buildly_model::ServiceCall).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// The list's path, such as `/product/`.
    pub list_path: Option<String>,
    /// The path of one record.
    pub detail_path: Option<DetailPath>,
    /// The list's query parameter that takes several keys, comma-joined: `{key}__in`, `{key}s` or `ids`.
    pub key_list: Option<String>,
}

/// The path of one record: what stands before and after its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetailPath {
    /// Such as `/product/`.
    pub before: String,
    /// Such as `/`.
    pub after: String,
}

impl DetailPath {
    /// Reads a path template with one parameter at the place of the key.
    ///
    /// ```
    /// use buildly_mesh::DetailPath;
    /// let path = DetailPath::of_template("/product/{product_id}/").unwrap();
    /// assert_eq!((path.before.as_str(), path.after.as_str()), ("/product/", "/"));
    /// assert_eq!(DetailPath::of_template("/product/"), None);
    /// ```
    #[must_use]
    pub fn of_template(template: &str) -> Option<Self> {
        let (before, rest) = template.split_once('{')?;
        let (_, after) = rest.split_once('}')?;
        (!after.contains('{')).then(|| Self { before: before.to_owned(), after: after.to_owned() })
    }
}

/// Reads records that the core itself keeps, under the caller's rights.
#[async_trait]
pub trait LocalRecords: Send + Sync {
    /// The records of `record_type` with these keys, each one JSON object that has the key field.
    /// What the caller may not see is left out, as if it were not there.
    ///
    /// # Errors
    /// [`LocalError`] if this kind of record is not kept here, or cannot be read.
    async fn read(
        &self,
        principal: &Principal,
        record_type: &RecordType,
        keys: &[Key],
    ) -> Result<Vec<Bytes>, LocalError>;
}

/// Why records of the core gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The core keeps no such records.
    #[error("the core keeps no records of that kind")]
    Unknown,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One state of everything that a request needs, taken once where it enters.
#[derive(Clone)]
pub struct View {
    /// Record types and relationships.
    pub catalog: Snapshot,
    /// Permissions.
    pub access: Arc<dyn Access>,
    /// Services.
    pub services: Arc<dyn Services>,
}

/// Where the operations take the current state from.
#[async_trait]
pub trait Views: Send + Sync {
    /// The state now, with the facts of the principal's organization in it.
    ///
    /// # Errors
    /// [`StoreError`] if the organization cannot be loaded.
    async fn view(&self, principal: &Principal) -> Result<View, StoreError>;
}
