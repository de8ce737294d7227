//! The suite of workflow.

buildly_workflow::store_conformance!(crate::support::open_empty_store);
