//! One stored pair of linked records.

use buildly_model::{JoinRecordId, OrganizationId, RelationshipId};

use crate::{Key, Side};

/// One stored pair of records that a relationship links, in one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinRecord {
    /// Its id.
    pub id: JoinRecordId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The relationship.
    pub relationship: RelationshipId,
    /// The key of the record at the origin.
    pub origin: Key,
    /// The key of the related record.
    pub related: Key,
}

impl JoinRecord {
    /// The key of the record at one end.
    #[must_use]
    pub const fn key_at(&self, side: Side) -> &Key {
        match side {
            Side::Origin => &self.origin,
            Side::Related => &self.related,
        }
    }
}

/// Which join records to list; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JoinRecordFilter {
    /// Only those of this relationship.
    pub relationship: Option<RelationshipId>,
    /// Only those whose origin has one of these keys.
    pub origins: Option<Vec<Key>>,
    /// Only those whose related record has one of these keys.
    pub related: Option<Vec<Key>>,
}

/// One read of a list of join records, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinRecordPage {
    /// The rows.
    pub records: Vec<JoinRecord>,
    /// The place to read on from; `None` if this is the end.
    pub next: Option<u64>,
}
