//! The suite of extensions.

buildly_extension::store_conformance!(crate::support::open_empty_store);
