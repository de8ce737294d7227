//! Identity, an API gateway, a data mesh, a workflow engine and a journal, in your process.
//!
//! One handle, [`Buildly`], is opened on a data folder (one SQLite file) or on PostgreSQL;
//! the areas hang off it, and each operation takes the principal explicitly. No port is needed:
//! requests and answers are values, so you mount the gateway in a server of your own, or call it.
//!
//! # Quick start
//!
//! ```
//! use std::sync::Arc;
//!
//! use buildly_core::Buildly;
//! use buildly_core::auth::Resource;
//! use buildly_core::auth::identity::NewSuperuser;
//! use buildly_core::gateway::Registration;
//! use buildly_core::model::{Action, Body, BodyError, Secret};
//! use http::{Request, Response};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! # let folder = std::env::temp_dir().join(format!("buildly-doc-{}", std::process::id()));
//! // One folder: a SQLite file, and keys.
//! let buildly = Buildly::open(&folder).await?;
//!
//! // Somebody, who then signs in as anybody does: a password becomes a token, a token a principal.
//! let password = Secret::new("Correct-horse-9-battery");
//! let founder = NewSuperuser {
//!     username: "ada".to_owned(),
//!     email: "ada@example.org".to_owned(),
//!     password: password.clone(),
//!     organization_name: "Acme".to_owned(),
//! };
//! buildly.auth().create_superuser(&founder).await?;
//! let issued = buildly.auth().open_session("ada", &password, None).await?;
//! let ada = buildly.auth().authenticate(issued.access_token.expose()).await?;
//!
//! // A service inside this process: a function stands where a socket would be.
//! async fn hello(request: Request<Body>) -> Result<Response<Body>, BodyError> {
//!     let document = r#"{"openapi": "3.1.0", "paths": {"/hello/": {"get": {}}}}"#;
//!     let is_document = request.uri().path() == "/docs/openapi.json";
//!     Ok(Response::new(Body::from(if is_document { document } else { "\"Hello\"" })))
//! }
//! buildly.attach_service("hello.localhost", Arc::new(hello));
//! let service = Registration {
//!     name: Some("greeter".to_owned()),
//!     endpoint: Some("http://hello.localhost".to_owned()),
//!     ..Registration::default()
//! };
//! let service = buildly.gateway().register(&ada, service).await?;
//!
//! // What somebody may, with the rule that decided: a look into memory, nothing waits.
//! let decision = buildly.snapshot().auth.check(&ada, Action::Read, Resource::Service(service.id));
//! assert!(decision.is_allowed(), "{}", decision.reason());
//!
//! // A request through the gateway, as any client would make it.
//! let request = Request::get("/greeter/hello/")
//!     .header("host", "localhost")
//!     .header("authorization", format!("Bearer {}", issued.access_token.expose()))
//!     .body(Body::empty())?;
//! let answer = buildly.handle(request).await;
//! assert_eq!(answer.status(), 200);
//! assert_eq!(answer.into_body().collect(1024).await?, "\"Hello\"");
//!
//! // Ends what was started; what was acknowledged is on disk.
//! buildly.close().await;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to go on
//!
//! | you want | look at |
//! |---|---|
//! | people, organizations, groups, sign-in, tokens | [`Buildly::auth`], [`auth::Auth`] |
//! | to know why somebody may or may not | [`auth::Decision`], [`auth::permission`] |
//! | services, their routes, limits and policies | [`Buildly::gateway`], [`gateway::Gateway`] |
//! | a service inside this process, or reached otherwise than by HTTP | [`Buildly::attach_service`], [`gateway_http::Connection`] |
//! | people who sign in elsewhere, and a say in decisions | [`Builder::security`], [`auth::security`] |
//! | workflows that exchange with a third party | [`Builder::partner`], [`extension::Partner`] |
//! | to answer requests in your own server | [`Buildly::handle`] |
//! | records of several services in one answer | [`Buildly::mesh`], [`mesh::Mesh`]; `?join` in a request |
//! | processes that outlive this one | [`Buildly::workflow`], [`workflow::Workflow`], [`workflow::template`] |
//! | several changes in one commit | [`Buildly::atomically`], [`UnitOfWork`] |
//! | the audit trail, and its proof | [`Buildly::journal`], [`Journal`] |
//! | other settings, PostgreSQL, a clock for tests | [`Buildly::builder`], [`Settings`] |
//!
//! `examples/embedded-headless` and `examples/embedded-axum` are whole programs, and
//! `docs/embedding.md` goes through them.
//!
//! # How it behaves
//!
//! - **It runs on your tokio runtime** and starts a few tasks of its own; [`Buildly::close`] ends
//!   them. Dropping the handle without it loses nothing that was acknowledged.
//! - **Every change commits with its event.** A crash at any instant leaves both or neither.
//! - **A principal is an identity, not a right.** Rights are looked up at the moment of each
//!   operation, so one that is kept never outlives its rights.
//! - **Errors say what to do about them**: [`Error::kind`] and each area's own `kind()` are one of
//!   [`model::ErrorKind`]; the sentence is for a person.
//! - **One process a folder.** A second one that opens it is refused. Several processes share one
//!   deployment on PostgreSQL, see [`Builder::storage`].
//!
//! # Features
//!
//! All are on unless you say otherwise: `sqlite` and `postgres`, the databases; `mail`, which sends
//! mail by SMTP (without it messages become files); `schema`, JSON Schemas of workflows' inputs and
//! forms (without it templates that have one are refused). With `sqlite` alone at most 150 crates
//! are built.

mod builder;
mod buildly;
mod carrying;
mod commits;
mod data_plane;
mod error;
mod extensions;
mod folder;
mod follower;
mod freshness;
pub mod journal;
mod keeping;
mod local_records;
mod mail;
mod partners;
mod performing;
mod reading;
mod rights;
mod settings;
mod snapshot;
mod streams;
mod tasks;
mod unit_of_work;
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
pub use unit_of_work::{COMMANDS_MAX, UnitOfWork, Written};

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
