//! The suite of identity.

buildly_auth::identity_conformance!(crate::support::open_empty_store);
