//! The SQL of token.

use buildly_auth::token::{
    AccessToken, Application, Change, FoundRefreshToken, Listed, RefreshToken, SecretHash, ServiceAccount,
    Session, StoredKey,
};
use buildly_model::{OrganizationId, ServiceAccountId, SessionId, StoreError, Timestamp, UserId};
use sqlx::PgConnection;

use crate::Postgres;

/// Applies one change inside the unit's transaction.
pub(crate) async fn apply(
    _tx: &mut PgConnection,
    _organization: Option<OrganizationId>,
    _change: &Change,
) -> Result<(), StoreError> {
    Err(StoreError::corrupt("this storage does not keep tokens yet"))
}

#[async_trait::async_trait]
impl buildly_auth::token::Store for Postgres {
    async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        Ok(Vec::new())
    }
    async fn issuers(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
    async fn applications(&self) -> Result<Vec<Application>, StoreError> {
        Ok(Vec::new())
    }
    async fn revoked_sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        Ok(Vec::new())
    }
    async fn service_accounts(&self) -> Result<Vec<ServiceAccount>, StoreError> {
        Ok(Vec::new())
    }
    async fn find_service_account(
        &self,
        _: OrganizationId,
        _: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        Ok(None)
    }
    async fn find_session(&self, _: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(None)
    }
    async fn sessions_of(
        &self,
        _: Option<OrganizationId>,
        _: UserId,
        _: u32,
    ) -> Result<Vec<Session>, StoreError> {
        Ok(Vec::new())
    }
    async fn find_refresh_token(&self, _: &SecretHash) -> Result<Option<FoundRefreshToken>, StoreError> {
        Ok(None)
    }
    async fn list_access_tokens(
        &self,
        _: Option<UserId>,
        _: Timestamp,
        _: i64,
        _: u32,
    ) -> Result<Vec<Listed<AccessToken>>, StoreError> {
        Ok(Vec::new())
    }
    async fn list_refresh_tokens(
        &self,
        _: Option<UserId>,
        _: i64,
        _: u32,
    ) -> Result<Vec<Listed<RefreshToken>>, StoreError> {
        Ok(Vec::new())
    }
}
