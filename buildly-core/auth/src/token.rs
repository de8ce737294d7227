//! Who is asking, proven: signing keys, access and refresh tokens, OAuth grants,
//! applications, service accounts.
//!
//! An access token is a JWT (RFC 7519) that every service can check by itself with the
//! published keys; [`verify`] also checks it against the [`Snapshot`], so that a revoked
//! session or a removed user counts on the very next request. A session is a family of
//! refresh tokens of which only hashes are stored.

mod algorithm;
mod application;
mod change;
mod claims;
mod deployment_key;
mod secret_hash;
mod service_account;
mod session;
mod settings;
mod signing;
mod signing_key;
mod snapshot;
mod store;

pub use algorithm::Algorithm;
pub use application::{Application, ApplicationGrant, ClientType};
pub use change::Change;
pub use claims::{AUDIENCE, Claims, SCOPE, TokenType};
pub use deployment_key::{DeploymentKey, DeploymentKeyError};
pub use secret_hash::SecretHash;
pub use service_account::{ApiKey, ServiceAccount};
pub use session::{AccessToken, RefreshToken, Session};
pub use settings::Settings;
pub use signing::{Signing, SigningError};
pub use signing_key::{KeyId, StoredKey};
pub use snapshot::Snapshot;
pub use store::{FoundRefreshToken, Listed, Store};
