//! What an access token says.

use buildly_model::{OrganizationId, ServiceAccountId, SessionId, TokenId, UserId};
use serde::{Deserialize, Serialize};

/// The audience of every access token: the deployment and the services behind it.
pub const AUDIENCE: &str = "buildly";

/// The scope of every access token; rights are looked up, never carried.
pub const SCOPE: &str = "read write introspection";

/// What a signed token is for. Only access tokens are signed; the claim keeps a token of
/// another kind, made with the same keys one day, from passing as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Opens the API.
    Access,
    /// Gets a new access token. We issue these opaque, never signed.
    Refresh,
}

/// The claims of an access token (RFC 7519 section 4, and those that services of Buildly
/// Core read). Instants are seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: the deployment's public URL.
    pub iss: String,
    /// Whom it is for: [`AUDIENCE`].
    pub aud: String,
    /// Whose it is: the id of the user or service account, or the application's `client_id`
    /// where it acts for itself.
    pub sub: String,
    /// The id of this token.
    pub jti: TokenId,
    /// The session it belongs to.
    pub sid: SessionId,
    /// When it was issued.
    pub iat: i64,
    /// Not to be taken before.
    pub nbf: i64,
    /// Not to be taken at or after.
    pub exp: i64,
    /// What it is for.
    pub token_type: TokenType,
    /// Always [`SCOPE`].
    pub scope: String,
    /// The application it was issued to; none for `/token/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The user; none for an application that acts for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_user_uuid: Option<UserId>,
    /// The user's integer on the old wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<i64>,
    /// The user's sign-in name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The service account that it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_uuid: Option<ServiceAccountId>,
    /// The API key that it was given for; it stops working with the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<TokenId>,
    /// Who acts in the name of the subject (RFC 8693 section 4.1): a workflow's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// The organization of the user or service account; null when there is none.
    #[serde(default)]
    pub organization_uuid: Option<OrganizationId>,
    /// The version of the user's password that opened the session; a token of an older
    /// password is refused.
    #[serde(default)]
    pub credential_version: u64,
}

/// Who acts in the name of a token's subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `run:` and the run's id.
    pub sub: String,
}
