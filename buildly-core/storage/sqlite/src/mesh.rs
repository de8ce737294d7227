//! The SQL of the mesh: catalog and links.

mod catalog;
mod join_record;
mod read;
mod row;

use buildly_mesh::Change;
use buildly_model::{OrganizationId, StoreError};
use rusqlite::Connection;

/// Applies one change inside the unit's transaction.
pub(crate) fn apply(
    tx: &Connection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::RecordTypeCreated(record_type) => catalog::insert_record_type(tx, record_type),
        Change::RecordTypeUpdated(record_type) => catalog::update_record_type(tx, record_type),
        Change::RecordTypeDeleted(id) => catalog::delete_record_type(tx, *id),
        Change::RelationshipCreated(relationship) => catalog::insert_relationship(tx, relationship),
        Change::RelationshipUpdated(relationship) => catalog::update_relationship(tx, relationship),
        Change::RelationshipDeleted(id) => catalog::delete_relationship(tx, *id),
        Change::JoinRecordCreated(record) => join_record::insert(tx, organization, record),
        Change::JoinRecordUpdated(record) => join_record::update(tx, organization, record),
        Change::JoinRecordDeleted(id) => join_record::delete(tx, organization, *id),
        Change::RecordUnlinked { record_type, key } => {
            join_record::unlink(tx, organization, *record_type, key)
        }
    }
}
