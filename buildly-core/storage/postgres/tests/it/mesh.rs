//! The suite of the mesh.

buildly_mesh::store_conformance!(crate::support::open_empty_store);
