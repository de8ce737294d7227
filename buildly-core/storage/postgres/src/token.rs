//! The SQL of tokens: keys, sessions, applications, service accounts.

mod accounts;
mod applications;
mod column;
mod keys;
mod lists;
mod sessions;

use buildly_auth::token::{
    AccessToken, Application, Change, FoundRefreshToken, Listed, RefreshToken, SecretHash, ServiceAccount,
    Session, StoredKey,
};
use buildly_model::{OrganizationId, ServiceAccountId, SessionId, StoreError, Timestamp, UserId};
use sqlx::PgConnection;
use sqlx::pool::PoolConnection;

use crate::Postgres;
use crate::engine::{in_time, store_error};

/// Applies one change inside the unit's transaction.
pub(crate) async fn apply(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::KeyAdded(key) => keys::add(tx, key).await,
        Change::KeyRetired { key, verifies_until } => keys::retire(tx, key, *verifies_until).await,
        Change::KeyRemoved { key } => keys::remove(tx, key).await,
        Change::IssuerUsed { issuer, at } => keys::use_issuer(tx, issuer, *at).await,
        Change::ApplicationCreated(application) => applications::create(tx, application).await,
        Change::ApplicationUpdated { before, after } => applications::update(tx, before, after).await,
        Change::ApplicationDeleted { application } => applications::delete(tx, *application).await,
        Change::SessionStarted { session, access, refresh } => {
            sessions::start(tx, organization, session, access, refresh.as_ref()).await
        }
        Change::SessionRefreshed { session, presented, successor, access } => {
            sessions::refresh(tx, organization, *session, presented, successor, access).await
        }
        Change::SessionRepeated { session, access } => {
            sessions::repeat(tx, organization, *session, access).await
        }
        Change::SessionRevoked { session, at } => sessions::revoke(tx, organization, *session, *at).await,
        Change::SessionsForgotten { before, sessions_max } => {
            sessions::forget(tx, *before, *sessions_max).await
        }
        Change::ServiceAccountCreated(account) => accounts::create(tx, organization, account).await,
        Change::ServiceAccountUpdated { before, after } => {
            accounts::update(tx, organization, before, after).await
        }
        Change::ServiceAccountDeleted { account } => accounts::delete(tx, organization, *account).await,
        Change::ApiKeyCreated { account, key } => accounts::create_key(tx, organization, *account, key).await,
        Change::ApiKeyDeleted { account, key } => {
            accounts::delete_key(tx, organization, *account, *key).await
        }
        Change::ApiKeysUsed { used } => accounts::note_use(tx, used).await,
    }
}

#[async_trait::async_trait]
impl buildly_auth::token::Store for Postgres {
    async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        in_time(async { keys::all(&mut *self.token_reader().await?).await }).await
    }

    async fn issuers(&self) -> Result<Vec<String>, StoreError> {
        in_time(async { keys::issuers(&mut *self.token_reader().await?).await }).await
    }

    async fn applications(&self) -> Result<Vec<Application>, StoreError> {
        in_time(async { applications::all(&mut *self.token_reader().await?).await }).await
    }

    async fn revoked_sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        in_time(async { sessions::revoked(&mut *self.token_reader().await?).await }).await
    }

    async fn service_accounts(&self) -> Result<Vec<ServiceAccount>, StoreError> {
        in_time(async { accounts::all(&mut *self.token_reader().await?).await }).await
    }

    async fn find_service_account(
        &self,
        organization: OrganizationId,
        account: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        in_time(async { accounts::find(&mut *self.token_reader().await?, organization, account).await }).await
    }

    async fn find_session(&self, session: SessionId) -> Result<Option<Session>, StoreError> {
        in_time(async { sessions::find(&mut *self.token_reader().await?, session).await }).await
    }

    async fn sessions_of(
        &self,
        organization: Option<OrganizationId>,
        user: UserId,
        sessions_max: u32,
    ) -> Result<Vec<Session>, StoreError> {
        in_time(async {
            sessions::of_user(&mut *self.token_reader().await?, organization, user, sessions_max).await
        })
        .await
    }

    async fn find_refresh_token(&self, hash: &SecretHash) -> Result<Option<FoundRefreshToken>, StoreError> {
        in_time(async { sessions::find_refresh_token(&mut *self.token_reader().await?, hash).await }).await
    }

    async fn list_access_tokens(
        &self,
        user: Option<UserId>,
        now: Timestamp,
        after: i64,
        tokens_max: u32,
    ) -> Result<Vec<Listed<AccessToken>>, StoreError> {
        in_time(async {
            lists::access_tokens(&mut *self.token_reader().await?, user, now, after, tokens_max).await
        })
        .await
    }

    async fn list_refresh_tokens(
        &self,
        user: Option<UserId>,
        after: i64,
        tokens_max: u32,
    ) -> Result<Vec<Listed<RefreshToken>>, StoreError> {
        in_time(async {
            lists::refresh_tokens(&mut *self.token_reader().await?, user, after, tokens_max).await
        })
        .await
    }

    async fn has_ended_tokens(&self, before: Timestamp) -> Result<bool, StoreError> {
        in_time(async { sessions::has_ended(&mut *self.token_reader().await?, before).await }).await
    }
}

impl Postgres {
    async fn token_reader(&self) -> Result<PoolConnection<sqlx::Postgres>, StoreError> {
        self.engine.pool().acquire().await.map_err(store_error)
    }
}
