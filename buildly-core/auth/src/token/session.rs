//! A session: a family of refresh tokens and the access tokens issued with it.

use buildly_model::{ApplicationId, OrganizationId, SessionId, Timestamp, TokenId, UserId};

use super::SecretHash;

/// One sign-in, from its start until it is revoked or its last refresh token ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The tenant it acts in.
    pub organization: Option<OrganizationId>,
    /// Whose it is; `None` for an application that acts for itself.
    pub user: Option<UserId>,
    /// The application it was opened with; `None` for `/token/`.
    pub application: Option<ApplicationId>,
    /// The version of the user's password that opened it.
    pub credential_version: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// One refresh token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The hash of its text.
    pub hash: SecretHash,
    /// The integer that the old wire calls `id`; 0 until the storage has given one.
    pub number: i64,
    /// Its place in its family: the first is 1, its successor 2.
    pub generation: i64,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When its successor was taken, if it was.
    pub used_at: Option<Timestamp>,
}

/// One access token as it is remembered; its text is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id (`jti`).
    pub id: TokenId,
    /// The integer that the old wire calls `id`; 0 until the storage has given one.
    pub number: i64,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}
