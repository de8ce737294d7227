//! What the mesh reads from a storage.

use async_trait::async_trait;
use buildly_model::{JoinRecordId, OrganizationId, RelationshipId, StoreError};

use crate::{JoinRecord, JoinRecordFilter, JoinRecordPage, Key, RecordType, Relationship, Side};

/// The most keys that are looked up at once.
pub const LINK_KEYS_MAX: usize = 1000;

/// Reads of the mesh. The catalog is read when the snapshot is built; the links at each join.
#[async_trait]
pub trait Store: Send + Sync {
    /// All record types, oldest first.
    async fn record_types(&self) -> Result<Vec<RecordType>, StoreError>;

    /// All relationships, oldest first.
    async fn relationships(&self) -> Result<Vec<Relationship>, StoreError>;

    /// One join record of an organization.
    async fn find_join_record(
        &self,
        organization: OrganizationId,
        id: JoinRecordId,
    ) -> Result<Option<JoinRecord>, StoreError>;

    /// Join records of an organization, oldest first, after the place `after`, at most `records_max`.
    async fn join_records(
        &self,
        organization: OrganizationId,
        filter: &JoinRecordFilter,
        after: Option<u64>,
        records_max: u32,
    ) -> Result<JoinRecordPage, StoreError>;

    /// The links of some records (at most [`LINK_KEYS_MAX`] keys), oldest first, at most `links_max`:
    /// join records of one relationship that have one of `keys` at `side`.
    async fn links(
        &self,
        organization: OrganizationId,
        relationship: RelationshipId,
        side: Side,
        keys: &[Key],
        links_max: u32,
    ) -> Result<Vec<JoinRecord>, StoreError>;
}
