//! What this part of auth reads from a storage.

use async_trait::async_trait;
use buildly_model::{OrganizationId, ServiceAccountId, SessionId, StoreError, Timestamp, UserId};

use super::{AccessToken, Application, RefreshToken, SecretHash, ServiceAccount, Session, StoredKey};

/// A refresh token found by its hash, with what a decision on it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRefreshToken {
    /// The session it belongs to.
    pub session: Session,
    /// The token.
    pub token: RefreshToken,
    /// Whether its successor has been traded in already.
    pub successor_used: bool,
}

/// A row of a list, with the session it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The session.
    pub session: Session,
    /// The token.
    pub token: T,
}

/// Reads keys, sessions, applications and service accounts; never on a request's hot path.
#[async_trait]
pub trait Store: Send + Sync {
    /// All signing keys, by generation.
    async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError>;

    /// All names that tokens have been issued under.
    async fn issuers(&self) -> Result<Vec<String>, StoreError>;

    /// All applications, by number.
    async fn applications(&self) -> Result<Vec<Application>, StoreError>;

    /// The revoked sessions that are not forgotten yet.
    async fn revoked_sessions(&self) -> Result<Vec<SessionId>, StoreError>;

    /// All service accounts of all organizations, for the snapshot.
    async fn service_accounts(&self) -> Result<Vec<ServiceAccount>, StoreError>;

    /// One service account.
    async fn find_service_account(
        &self,
        organization: OrganizationId,
        account: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError>;

    /// A session. Whoever asks holds a signed token of it, so it is looked up without its
    /// organization.
    async fn find_session(&self, session: SessionId) -> Result<Option<Session>, StoreError>;

    /// The living sessions of one user, at most `sessions_max`.
    async fn sessions_of(
        &self,
        organization: Option<OrganizationId>,
        user: UserId,
        sessions_max: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// A refresh token by the hash of its text; knowing it is the proof, so it is looked up
    /// without its organization.
    async fn find_refresh_token(&self, hash: &SecretHash) -> Result<Option<FoundRefreshToken>, StoreError>;

    /// Access tokens that end after `now`, by number, after number `after`, at most
    /// `tokens_max`: of one user, or of all.
    async fn list_access_tokens(
        &self,
        user: Option<UserId>,
        now: Timestamp,
        after: i64,
        tokens_max: u32,
    ) -> Result<Vec<Listed<AccessToken>>, StoreError>;

    /// Refresh tokens, likewise; used and revoked ones too, until they are forgotten.
    async fn list_refresh_tokens(
        &self,
        user: Option<UserId>,
        after: i64,
        tokens_max: u32,
    ) -> Result<Vec<Listed<RefreshToken>>, StoreError>;

    /// Whether a session or an access token ended before that instant and is not forgotten.
    async fn has_ended_tokens(&self, before: Timestamp) -> Result<bool, StoreError>;
}
