//! The data mesh: records of many services, joined.
//!
//! The catalog says which kinds of records the services own ([`RecordType`]) and how they are
//! linked ([`Relationship`]); [`JoinRecord`]s are the links themselves, kept by organization.
//! [`plan()`] decides what to fetch for a [`Shape`], and for whom; [`Mesh`] fetches the records
//! and splices them into the answer as raw JSON.

mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod join_record;
mod key;
mod outside;
mod record_type;
mod relationship;
mod snapshot;
mod store;

mod address;
mod along;
mod catalog;
mod document;
mod fault;
mod plan;
mod plan_cache;
mod room;
mod scan;
mod shape;
mod splice;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;

mod bounded;
mod fetch;
mod gather;
mod get;
mod join;
mod join_records;
mod linking;
mod mesh;
mod read;
mod record_types;
mod relationships;
mod remove;
mod write;

#[cfg(test)]
mod testing;

pub use address::Address;
pub use along::Along;
pub use change::Change;
pub use error::Error;
pub use fault::{Fault, Reason};
pub use gather::{GatherError, Gathered};
pub use get::{Get, Joined};
pub use join::{Asked, JOINED_ANSWER_BYTES_MAX, Joining};
pub use join_record::{JoinRecord, JoinRecordFilter, JoinRecordPage};
pub use join_records::{DescribedJoinRecord, DescribedJoinRecords, JoinRecordInput, JoinRecordUpdate};
pub use key::Key;
pub use linking::WRITTEN_RECORDS_MAX;
pub use mesh::{Mesh, Parts};
pub use outside::{Access, DetailPath, LocalError, LocalRecords, Resource, Services, View, Views};
pub use plan::{
    CHUNK_KEYS_MAX, CHUNK_URL_BYTES_MAX, Chunk, Fetch, Grants, Method, Plan, PlannedBranch, plan,
};
pub use record_type::{RecordType, RecordTypeInput, RecordTypeUpdate};
pub use relationship::{Relationship, RelationshipInput, RelationshipUpdate, Side};
pub use relationships::DescribedRelationship;
pub use room::JOINED_OUTPUT_BYTES_MAX;
pub use shape::{Branch, Links, Shape};
pub use snapshot::Snapshot;
pub use store::{LINK_KEYS_MAX, Store};
