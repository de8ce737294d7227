//! Who is asking, proven: signing keys, access and refresh tokens, OAuth grants,
//! applications, service accounts.
//!
//! An access token is a JWT (RFC 7519) that every service can check by itself with the
//! published keys; [`verify`] also checks it against the [`Snapshot`], so that a revoked
//! session or a removed user counts on the very next request. A session is a family of
//! refresh tokens of which only hashes are stored.

mod account_operations;
mod algorithm;
mod api_key;
mod application;
mod application_operations;
mod authorization;
mod authorization_code;
mod authorize;
mod change;
mod claims;
mod deployment_key;
mod discovery;
mod grant;
mod issue;
mod jws;
mod key_schedule;
mod keys;
mod listing;
mod oauth;
mod rotation;
mod run_token;
mod secret_hash;
mod service_account;
mod service_token;
mod session;
mod settings;
mod signing;
mod signing_key;
mod snapshot;
pub(crate) mod standing;
mod store;
mod verify;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;

pub use account_operations::{NewApiKey, NewServiceAccount, ServiceAccountPatch};
pub use algorithm::{Algorithm, ParseAlgorithmError};
pub use application::{Application, ApplicationGrant, ClientType};
pub use application_operations::{ApplicationKey, ApplicationPatch, NewApplication};
pub use authorization::{AuthorizationError, AuthorizationRequest};
pub use change::Change;
pub use claims::{AUDIENCE, Actor, Claims, SCOPE, TokenType};
pub use deployment_key::{DeploymentKey, DeploymentKeyError};
pub use discovery::Discovery;
pub use grant::{ClientCredentials, GrantError, TokenRequest};
pub use issue::Issued;
pub use listing::{Owned, TokenKey};
pub use oauth::Introspection;
pub use rotation::{Rotation, rotate};
pub use secret_hash::SecretHash;
pub use service_account::{ApiKey, ServiceAccount};
pub use session::{AccessToken, RefreshToken, Session};
pub use settings::Settings;
pub use signing::{ISSUER_DEFAULT, Signing, SigningError};
pub use signing_key::{KeyId, StoredKey};
pub use snapshot::Snapshot;
pub use store::{FoundRefreshToken, Listed, Store};
pub use verify::{CLOCK_DIFFERENCE_MAX, Refusal, organization_of, verify};
