//! The gateway's decisions: which services there are, where a request goes, what travels along.
//!
//! Services are registered by URL and OpenAPI document ([`Gateway::register`]). A request's
//! path is matched against the documents of the [`Snapshot`] ([`Target`]); calls themselves
//! are performed elsewhere. Everything but the operations of [`Gateway`] is pure.

mod address;
mod blocking;
#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod gateway;
mod merged_document;
mod name;
pub mod openapi;
mod path;
mod policy;
mod route;
mod secret_reference;
mod service;
mod snapshot;
mod specification;
mod store;
mod stored;
pub mod traffic;

pub use address::{AddressClass, BaseUrl};
pub use error::Error;
pub use gateway::{Access, Gateway, InstanceSpec, Parts, Registration, ServiceKey, Snapshots, Update};
pub use merged_document::{Included, merged_document};
pub use name::{RESERVED_NAMES, ServiceName, Version};
pub use policy::{EjectionPolicy, Policy, RateLimit, RateLimits, RetryPolicy};
pub use route::{Route, Routing, Target};
pub use secret_reference::{SECRET_VARIABLE_PREFIX, SecretReference};
pub use service::{Credential, Instance, InstanceState, SERVICES_MAX, Service};
pub use snapshot::{RegisteredService, Snapshot};
pub use specification::{
    Fetched, SPECIFICATION_BYTES_MAX, SourceError, Specification, SpecificationMark, SpecificationSource,
};
pub use store::{Change, Store};
pub use stored::StoredService;
