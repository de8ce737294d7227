//! Resources in the shapes that existing Buildly clients speak.
//!
//! One module for each resource, with `pub fn routes() -> Routes`; the list of all is in
//! [`crate::api`].

pub mod consortium;
pub mod coregroup;
pub mod coreuser;
pub mod datamesh;
mod group_shape;
mod key;
pub mod levels;
mod list;
mod local_records;
pub mod logicmodule;
pub mod oauth;
pub mod organization;
mod organization_shape;
pub mod organization_type;
pub mod partner;
pub mod simple_token;

pub use group_shape::{CoreGroup, CoreGroupInput, Permissions};
pub use local_records::CoreRecords;
pub use organization_shape::{OrganizationBody, OrganizationInput};
