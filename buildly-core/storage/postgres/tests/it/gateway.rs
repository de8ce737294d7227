//! The suite of the gateway's store.

buildly_gateway::store_conformance!(crate::support::open_empty_store);
