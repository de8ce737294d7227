//! The data mesh: records of many services, joined.
//!
//! The catalog says which kinds of records the services own ([`RecordType`]) and how they are
//! linked ([`Relationship`]); [`JoinRecord`]s are the links themselves, kept by organization.

mod change;
mod error;
mod join_record;
mod key;
mod outside;
mod record_type;
mod relationship;
mod snapshot;
mod store;

pub use change::Change;
pub use error::Error;
pub use join_record::{JoinRecord, JoinRecordFilter, JoinRecordPage};
pub use key::Key;
pub use outside::{Access, DetailPath, LocalError, LocalRecords, Resource, Services, View, Views};
pub use record_type::{RecordType, RecordTypeInput, RecordTypeUpdate};
pub use relationship::{Relationship, RelationshipInput, RelationshipUpdate, Side};
pub use snapshot::Snapshot;
pub use store::{LINK_KEYS_MAX, Store};
