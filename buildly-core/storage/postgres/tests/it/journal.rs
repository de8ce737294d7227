//! The suite of journal and committer.

buildly_unit::storage_conformance!(crate::support::open_empty_store);
