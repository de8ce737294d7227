//! What the mesh can change.

use buildly_model::{JoinRecordId, RecordTypeId, RelationshipId};

use crate::{JoinRecord, Key, RecordType, Relationship};

/// What can change. Record types and relationships belong to the deployment, join records to
/// the organization of the part.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds a record type; `Taken` if its service has that model (`model`) or endpoint (`endpoint`).
    RecordTypeCreated(RecordType),
    /// Replaces a record type; `Missing` if there is none, `Taken` as above.
    RecordTypeUpdated(RecordType),
    /// Removes a record type with its relationships and their join records.
    RecordTypeDeleted(RecordTypeId),
    /// Adds a relationship; `Taken` (`key`) if the pair has that key, `Missing` if a record type
    /// is not there, `Stale` if the reverse exists.
    RelationshipCreated(Relationship),
    /// Replaces a relationship; `Missing`, `Taken` and `Stale` as above.
    RelationshipUpdated(Relationship),
    /// Removes a relationship with its join records.
    RelationshipDeleted(RelationshipId),
    /// Adds a join record; `Taken` (`records`) if the pair is linked already, `Missing` if the
    /// relationship is not there.
    JoinRecordCreated(JoinRecord),
    /// Replaces a join record of the organization; `Missing` and `Taken` as above.
    JoinRecordUpdated(JoinRecord),
    /// Removes a join record of the organization; `Missing` if there is none.
    JoinRecordDeleted(JoinRecordId),
    /// Removes every join record of the organization that names this record, at either end.
    RecordUnlinked {
        /// The record's type.
        record_type: RecordTypeId,
        /// The record's key.
        key: Key,
    },
}
