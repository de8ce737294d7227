//! What a token request asks for, and whether its client may (RFC 6749 sections 2.3, 4, 6).
//!
//! Pure: the order of the checks is that of the old system (grant type, client, parameters),
//! so that existing clients see the errors that they know.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use buildly_model::{ErrorKind, Secret};

use super::{Application, ApplicationGrant, ClientType, SCOPE};

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
    /// `scope`.
    pub scope: Option<String>,
    /// How the client presents itself.
    pub client: ClientCredentials,
}

/// How a client presents itself: with HTTP Basic, or in the body.
#[derive(Debug, Clone, Default)]
pub struct ClientCredentials {
    /// `client_id`.
    pub client_id: Option<String>,
    /// `client_secret`.
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

/// What a client asks for, once it may.
#[derive(Debug, Clone)]
pub(super) enum Grant {
    /// Tokens for the user of that name.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// The successor of a refresh token.
    Refresh {
        /// The token.
        token: Secret,
    },
    /// A token for the application itself.
    ClientCredentials,
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
    #[error("`grant_type` is one of `password`, `refresh_token` and `client_credentials`")]
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

/// Decides what a request asks for and which application asks.
///
/// # Errors
/// A [`GrantError`] that the client is to be told.
pub(super) fn decide<'a>(
    snapshot: &'a super::Snapshot,
    request: &TokenRequest,
) -> Result<(&'a Application, Grant), GrantError> {
    let asked = match request.grant_type.as_deref() {
        Some(known @ ("password" | "refresh_token" | "client_credentials")) => known,
        Some(_) | None => return Err(GrantError::UnsupportedGrantType),
    };
    let application = authenticate(snapshot, &request.client)?;
    let grant = match asked {
        "password" => Grant::Password {
            username: required(request.username.as_ref(), "username")?,
            password: required(request.password.as_ref(), "password")?,
        },
        "refresh_token" => {
            Grant::Refresh { token: required(request.refresh_token.as_ref(), "refresh_token")? }
        }
        _ => Grant::ClientCredentials,
    };
    let registered = match grant {
        Grant::Password { .. } => application.grant == ApplicationGrant::Password,
        Grant::Refresh { .. } => application.grant != ApplicationGrant::ClientCredentials,
        Grant::ClientCredentials => {
            application.grant == ApplicationGrant::ClientCredentials
                && application.client_type == ClientType::Confidential
        }
    };
    if !registered {
        return Err(GrantError::UnauthorizedClient);
    }
    let known = |scope: &str| SCOPE.split(' ').any(|own| own == scope);
    if !request.scope.as_deref().unwrap_or_default().split_whitespace().all(known) {
        return Err(GrantError::InvalidScope);
    }
    Ok((application, grant))
}

/// The application that a client proves to be: a public one is only named.
///
/// # Errors
/// [`GrantError::InvalidClient`].
pub(super) fn authenticate<'a>(
    snapshot: &'a super::Snapshot,
    client: &ClientCredentials,
) -> Result<&'a Application, GrantError> {
    let client_id = client.client_id.as_deref().unwrap_or_default();
    let application = snapshot.application_named(client_id).ok_or(GrantError::InvalidClient)?;
    let secret = client.client_secret.as_ref().map_or("", Secret::expose);
    let proven = match (application.client_type, &application.secret) {
        (ClientType::Public, _) => true,
        (ClientType::Confidential, Some(hash)) => hash.matches(secret.as_bytes()),
        (ClientType::Confidential, None) => false,
    };
    if proven { Ok(application) } else { Err(GrantError::InvalidClient) }
}

fn required<T: Clone>(value: Option<&T>, name: &str) -> Result<T, GrantError> {
    value.cloned().ok_or_else(|| GrantError::InvalidRequest(format!("Request is missing {name} parameter.")))
}

#[cfg(test)]
mod tests;
