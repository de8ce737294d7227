//! The SQL of the mesh: catalog and links.

mod catalog;
mod join_record;
mod read;
mod row;

use buildly_mesh::Change;
use buildly_model::{OrganizationId, StoreError};
use sqlx::PgConnection;

/// Applies one change inside the unit's transaction.
pub(crate) async fn apply(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::RecordTypeCreated(record_type) => catalog::insert_record_type(tx, record_type).await,
        Change::RecordTypeUpdated(record_type) => catalog::update_record_type(tx, record_type).await,
        Change::RecordTypeDeleted(id) => catalog::delete_record_type(tx, *id).await,
        Change::RelationshipCreated(relationship) => catalog::insert_relationship(tx, relationship).await,
        Change::RelationshipUpdated(relationship) => catalog::update_relationship(tx, relationship).await,
        Change::RelationshipDeleted(id) => catalog::delete_relationship(tx, *id).await,
        Change::JoinRecordCreated(record) => join_record::insert(tx, organization, record).await,
        Change::JoinRecordUpdated(record) => join_record::update(tx, organization, record).await,
        Change::JoinRecordDeleted(id) => join_record::delete(tx, organization, *id).await,
        Change::RecordUnlinked { record_type, key } => {
            join_record::unlink(tx, organization, *record_type, key).await
        }
    }
}
