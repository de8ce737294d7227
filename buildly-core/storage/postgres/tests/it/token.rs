//! The suite of the token store.

buildly_auth::token_store_conformance!(crate::support::open_empty_store);
