//! Identity, an API gateway, a data mesh, a workflow engine and a journal, in your process.
//!
//! One handle, [`Buildly`], is opened on a data folder (one SQLite file) or on PostgreSQL;
//! the areas hang off it, and each operation takes the principal explicitly.

mod builder;
mod buildly;
mod carrying;
mod commits;
mod data_plane;
mod error;
mod folder;
mod follower;
mod freshness;
pub mod journal;
mod keeping;
mod local_records;
mod mail;
mod performing;
mod reading;
mod rights;
mod settings;
mod snapshot;
mod streams;
mod views;
mod webhooks;

pub use builder::Builder;
pub use buildly::Buildly;
pub use commits::Together;
pub use error::Error;
pub use folder::{DEPLOYMENT_KEY_BYTES, Folder};
pub use journal::Journal;
pub use mail::{MailSettings, SmtpEncryption, SmtpSettings};
pub use settings::Settings;
pub use snapshot::Snapshot;

pub use buildly_auth as auth;
pub use buildly_extension as extension;
pub use buildly_gateway as gateway;
pub use buildly_gateway_http as gateway_http;
pub use buildly_mesh as mesh;
pub use buildly_model as model;
#[cfg(feature = "postgres")]
pub use buildly_storage_postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use buildly_storage_sqlite::{Sqlite, engine::FolderLock};
pub use buildly_unit as unit;
pub use buildly_workflow as workflow;
