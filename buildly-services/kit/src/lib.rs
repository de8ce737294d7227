//! What a logic service needs, so that a service is one file: typed records with their
//! operations over HTTP, an OpenAPI document, a token check, and a database of its own.
//!
//! A service declares structs; the kit reads names, kinds and limits from them, makes the
//! tables, and answers list, create, read, replace, change and delete. Every record belongs to
//! the organization of the caller's token; no request can name another one.
//!
//! ```
//! use buildly_kit::{Declaration, Record, RecordType};
//! use serde::{Deserialize, Serialize};
//! use utoipa::ToSchema;
//!
//! /// A thing that is sold.
//! #[derive(Serialize, Deserialize, ToSchema)]
//! struct Product {
//!     /// What it is called.
//!     #[schema(min_length = 1, max_length = 200)]
//!     name: String,
//! }
//!
//! impl Record for Product {
//!     fn record_type() -> RecordType {
//!         RecordType::new("product", "products").sortable(&["name"]).searchable(&["name"])
//!     }
//! }
//!
//! let shop = Declaration::new("shop", "Shop", "Things that are sold.").record::<Product>();
//! let document = shop.openapi().unwrap();
//! assert_eq!(document["paths"]["/products/{id}/"]["get"]["operationId"], "read_product");
//! ```

mod field;
mod record;
mod shape;
mod value;

mod access;
mod idempotency;
mod list;
mod overlap;
mod precondition;
mod references;
mod tree;

mod database;
mod records;
mod statement;
mod table;
mod version;

mod error;
mod problem;
mod query;

mod background;
mod caller;
mod token;

#[cfg(feature = "command")]
pub mod command;
mod crud;
#[cfg(any(test, feature = "fuzzing"))]
mod fixture;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod openapi;
mod operation;
mod serve;
mod service;
#[cfg(feature = "testing")]
pub mod testing;

pub use access::Scope;
pub use background::Start;
pub use buildly_model::{Body, FieldError};
pub use buildly_storage_sqlite::engine::FolderLock;
pub use caller::{Authenticate, Caller};
pub use database::DatabaseAddress;
pub use error::Error;
pub use operation::{Call, Operation, content_length, json};
pub use overlap::Overlap;
pub use record::{OnDelete, Record, RecordType};
pub use records::{Records, Stored, Total};
pub use serve::{Opening, serve};
pub use service::{Declaration, OpenError, Service, Settings};
pub use shape::DeclarationError;
pub use token::{KeySource, TokenSettings, Tokens};
