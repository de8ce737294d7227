//! Identity, an API gateway, a data mesh and a journal, in your process.
//!
//! One handle, [`Buildly`], is opened on a data folder (one SQLite file) or on PostgreSQL;
//! the areas hang off it, and each operation takes the principal explicitly.

mod buildly;
mod commits;
mod error;
mod folder;
mod follower;
mod freshness;
pub mod journal;
mod rights;
mod snapshot;
mod views;

pub use buildly::{Builder, Buildly};
pub use error::Error;
pub use folder::{DEPLOYMENT_KEY_BYTES, Folder};
pub use journal::Journal;
pub use snapshot::Snapshot;

pub use buildly_auth as auth;
pub use buildly_gateway as gateway;
pub use buildly_mesh as mesh;
pub use buildly_model as model;
#[cfg(feature = "postgres")]
pub use buildly_storage_postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use buildly_storage_sqlite::Sqlite;
pub use buildly_unit as unit;
