//! What a token request asks for, and whether its client may (RFC 6749 sections 2.3, 4, 6;
//! RFC 7636 section 4.5).
//!
//! Pure: the order of the checks is that of the old system (grant type, client, parameters),
//! so that existing clients see the errors that they know.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use buildly_model::{ErrorKind, Secret, Timestamp};

use super::authorization_code::Redemption;
use super::{ApiKey, Application, ApplicationGrant, ClientType, SCOPE, ServiceAccount, api_key};

/// The length of a proof of possession, in characters (RFC 7636 section 4.1).
const VERIFIER_LENGTH: std::ops::RangeInclusive<usize> = 43..=128;

/// The fields of a token request; what is empty counts as absent.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    /// `grant_type`.
    pub grant_type: Option<String>,
    /// `username`.
    pub username: Option<String>,
    /// `password`.
    pub password: Option<Secret>,
    /// `refresh_token`.
    pub refresh_token: Option<Secret>,
    /// `code`.
    pub code: Option<Secret>,
    /// `redirect_uri`, as in the authorization request.
    pub redirect_uri: Option<String>,
    /// `code_verifier`.
    pub code_verifier: Option<Secret>,
    /// `scope`.
    pub scope: Option<String>,
    /// How the client presents itself.
    pub client: ClientCredentials,
}

/// How a client presents itself: with HTTP Basic, or in the body.
#[derive(Debug, Clone, Default)]
pub struct ClientCredentials {
    /// `client_id`: of an application, or the id of a service account.
    pub client_id: Option<String>,
    /// `client_secret`: of an application, or an API key of the service account.
    pub client_secret: Option<Secret>,
}

impl ClientCredentials {
    /// Reads the value of an `Authorization` header after `Basic ` (RFC 6749 section 2.3.1).
    /// Our client ids and secrets need no escaping, so none is undone.
    #[must_use]
    pub fn from_basic(value: &str) -> Option<Self> {
        let decoded = STANDARD.decode(value.trim()).ok()?;
        let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some(Self { client_id: Some(id.to_owned()), client_secret: Some(Secret::new(secret)) })
    }
}

/// Who presents itself at the token endpoints, proven.
#[derive(Debug, Clone, Copy)]
pub(super) enum Client<'a> {
    Application(&'a Application),
    ServiceAccount(&'a ServiceAccount, &'a ApiKey),
}

/// What a client asks for, once it may.
#[derive(Debug, Clone)]
pub(super) enum Grant<'a> {
    /// Tokens for the user of that name.
    Password { application: &'a Application, username: String, password: Secret },
    /// The successor of a refresh token.
    Refresh { application: &'a Application, token: Secret },
    /// Tokens for the user who agreed in a browser.
    AuthorizationCode { application: &'a Application, redemption: Redemption },
    /// A token for the application itself.
    Application(&'a Application),
    /// A token in place of an API key, for services that check tokens by themselves.
    ServiceAccount(&'a ServiceAccount, &'a ApiKey),
}

/// The errors of RFC 6749 section 5.2.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// A parameter is missing or makes no sense.
    #[error("{0}")]
    InvalidRequest(String),
    /// There is no such client, or it has not proven itself.
    #[error("the client is unknown, or its secret is wrong")]
    InvalidClient,
    /// Password or refresh token are not good.
    #[error("{0}")]
    InvalidGrant(String),
    /// The client may not use this grant.
    #[error("the application is not registered for this grant")]
    UnauthorizedClient,
    /// There is no such grant.
    #[error(
        "`grant_type` is one of `authorization_code`, `password`, `refresh_token` and `client_credentials`"
    )]
    UnsupportedGrantType,
    /// A scope that we do not have.
    #[error("the scopes are `{SCOPE}`")]
    InvalidScope,
    /// Too many attempts; wait.
    #[error("too many attempts; try again in {} s", retry_after.as_secs().max(1))]
    Limited {
        /// How long.
        retry_after: Duration,
    },
    /// It is not the request's fault.
    #[error(transparent)]
    Failed(crate::Error),
}

impl GrantError {
    /// The word of RFC 6749 section 5.2 on the wire.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::Limited { .. } => "slow_down",
            Self::Failed(_) => "server_error",
        }
    }

    /// What a caller can do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidRequest(_)
            | Self::InvalidGrant(_)
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::InvalidScope => ErrorKind::Invalid,
            Self::InvalidClient => ErrorKind::Unauthenticated,
            Self::Limited { .. } => ErrorKind::Limited,
            Self::Failed(error) => error.kind(),
        }
    }
}

/// Decides what a request asks for and who asks.
///
/// # Errors
/// A [`GrantError`] that the client is to be told.
pub(super) fn decide<'a>(
    snapshot: &'a super::Snapshot,
    request: &TokenRequest,
    now: Timestamp,
) -> Result<Grant<'a>, GrantError> {
    let asked = match request.grant_type.as_deref() {
        Some(known @ ("password" | "refresh_token" | "client_credentials" | "authorization_code")) => known,
        Some(_) | None => return Err(GrantError::UnsupportedGrantType),
    };
    let grant = match authenticate(snapshot, &request.client, now)? {
        Client::Application(application) => of_application(asked, application, request)?,
        Client::ServiceAccount(account, key) if asked == "client_credentials" => {
            Grant::ServiceAccount(account, key)
        }
        Client::ServiceAccount(..) => return Err(GrantError::UnauthorizedClient),
    };
    let known = |scope: &str| SCOPE.split(' ').any(|own| own == scope);
    if !request.scope.as_deref().unwrap_or_default().split_whitespace().all(known) {
        return Err(GrantError::InvalidScope);
    }
    Ok(grant)
}

fn of_application<'a>(
    asked: &str,
    application: &'a Application,
    request: &TokenRequest,
) -> Result<Grant<'a>, GrantError> {
    let grant = match asked {
        "password" => Grant::Password {
            application,
            username: required(request.username.as_ref(), "username")?,
            password: required(request.password.as_ref(), "password")?,
        },
        "refresh_token" => {
            Grant::Refresh { application, token: required(request.refresh_token.as_ref(), "refresh_token")? }
        }
        "authorization_code" => Grant::AuthorizationCode { application, redemption: redemption(request)? },
        _ => Grant::Application(application),
    };
    let registered = match grant {
        Grant::Password { .. } => application.grant == ApplicationGrant::Password,
        Grant::Refresh { .. } => application.grant != ApplicationGrant::ClientCredentials,
        Grant::AuthorizationCode { .. } => application.grant == ApplicationGrant::AuthorizationCode,
        Grant::Application(_) => {
            application.grant == ApplicationGrant::ClientCredentials
                && application.client_type == ClientType::Confidential
        }
        Grant::ServiceAccount(..) => false,
    };
    if registered { Ok(grant) } else { Err(GrantError::UnauthorizedClient) }
}

fn redemption(request: &TokenRequest) -> Result<Redemption, GrantError> {
    let verifier = required(request.code_verifier.as_ref(), "code_verifier")?;
    if !VERIFIER_LENGTH.contains(&verifier.expose().len()) {
        let rule = "`code_verifier` has 43 to 128 characters (RFC 7636 section 4.1).";
        return Err(GrantError::InvalidRequest(rule.to_owned()));
    }
    let code = required(request.code.as_ref(), "code")?;
    Ok(Redemption { code, redirect_uri: request.redirect_uri.clone(), verifier })
}

/// Who a client proves to be: a public application is only named.
///
/// # Errors
/// [`GrantError::InvalidClient`].
pub(super) fn authenticate<'a>(
    snapshot: &'a super::Snapshot,
    client: &ClientCredentials,
    now: Timestamp,
) -> Result<Client<'a>, GrantError> {
    let client_id = client.client_id.as_deref().unwrap_or_default();
    let secret = client.client_secret.as_ref().map_or("", Secret::expose);
    if api_key::is_api_key(secret) {
        let (account, key) = api_key::find(snapshot, secret).map_err(|_| GrantError::InvalidClient)?;
        let is_named = client_id.parse().is_ok_and(|id: buildly_model::ServiceAccountId| id == account.id);
        let may = is_named && account.is_active && key.expires_at.is_none_or(|end| now < end);
        return if may { Ok(Client::ServiceAccount(account, key)) } else { Err(GrantError::InvalidClient) };
    }
    let application = snapshot.application_named(client_id).ok_or(GrantError::InvalidClient)?;
    let proven = match (application.client_type, &application.secret) {
        (ClientType::Public, _) => true,
        (ClientType::Confidential, Some(hash)) => hash.matches(secret.as_bytes()),
        (ClientType::Confidential, None) => false,
    };
    if proven { Ok(Client::Application(application)) } else { Err(GrantError::InvalidClient) }
}

fn required<T: Clone>(value: Option<&T>, name: &str) -> Result<T, GrantError> {
    value.cloned().ok_or_else(|| GrantError::InvalidRequest(format!("Request is missing {name} parameter.")))
}

#[cfg(test)]
mod tests;
