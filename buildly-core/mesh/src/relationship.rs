//! A declared link between two record types.

use buildly_model::{RecordTypeId, RelationshipId};

/// A declared link from an origin record type to a related one, under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    /// Its id.
    pub id: RelationshipId,
    /// The field under which joined records stand, in both directions.
    pub key: String,
    /// Where it starts.
    pub origin: RecordTypeId,
    /// Where it leads.
    pub related: RecordTypeId,
    /// The field that holds the key of the other record, if the services keep one.
    pub foreign_key: Option<String>,
}

/// The end of a relationship that a record stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The record is of the origin type.
    Origin,
    /// The record is of the related type.
    Related,
}

impl Side {
    /// The other end.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Origin => Self::Related,
            Self::Related => Self::Origin,
        }
    }
}

impl Relationship {
    /// The record type at one end.
    #[must_use]
    pub const fn type_at(&self, side: Side) -> RecordTypeId {
        match side {
            Side::Origin => self.origin,
            Side::Related => self.related,
        }
    }

    /// The end at which records of that type stand.
    #[must_use]
    pub fn side_of(&self, record_type: RecordTypeId) -> Option<Side> {
        [Side::Origin, Side::Related].into_iter().find(|side| self.type_at(*side) == record_type)
    }
}

/// A relationship as it shall be; nothing of it has been checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationshipInput {
    /// The field under which joined records stand.
    pub key: String,
    /// Where it starts.
    pub origin: RecordTypeId,
    /// Where it leads.
    pub related: RecordTypeId,
    /// The field that holds the key of the other record.
    pub foreign_key: Option<String>,
}

/// What of a relationship changes; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelationshipUpdate {
    /// The field under which joined records stand.
    pub key: Option<String>,
    /// Where it starts.
    pub origin: Option<RecordTypeId>,
    /// Where it leads.
    pub related: Option<RecordTypeId>,
    /// The field that holds the key of the other record; `Some(None)` takes it away.
    pub foreign_key: Option<Option<String>>,
}

impl RelationshipUpdate {
    /// What `current` becomes by it.
    #[must_use]
    pub fn of(self, current: Relationship) -> RelationshipInput {
        RelationshipInput {
            key: self.key.unwrap_or(current.key),
            origin: self.origin.unwrap_or(current.origin),
            related: self.related.unwrap_or(current.related),
            foreign_key: self.foreign_key.unwrap_or(current.foreign_key),
        }
    }
}
