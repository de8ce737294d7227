//! The SQL of tokens: keys, sessions, applications, service accounts.

mod accounts;
mod applications;
mod keys;
mod lists;
mod row;
mod sessions;

use buildly_auth::token::{
    AccessToken, Application, Change, FoundRefreshToken, Listed, RefreshToken, SecretHash, ServiceAccount,
    Session, StoredKey,
};
use buildly_model::{OrganizationId, ServiceAccountId, SessionId, StoreError, Timestamp, UserId};
use rusqlite::Connection;

use crate::Sqlite;

/// Applies one change inside the unit's transaction.
pub(crate) fn apply(
    tx: &Connection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::KeyAdded(key) => keys::add(tx, key),
        Change::KeyRetired { key, verifies_until } => keys::retire(tx, key, *verifies_until),
        Change::KeyRemoved { key } => keys::remove(tx, key),
        Change::IssuerUsed { issuer, at } => keys::use_issuer(tx, issuer, *at),
        Change::ApplicationCreated(application) => applications::create(tx, application),
        Change::ApplicationUpdated { before, after } => applications::update(tx, before, after),
        Change::ApplicationDeleted { application } => applications::delete(tx, *application),
        Change::SessionStarted { session, access, refresh } => {
            sessions::start(tx, organization, session, access, refresh.as_ref())
        }
        Change::SessionRefreshed { session, presented, successor, access } => {
            sessions::refresh(tx, organization, *session, presented, successor, access)
        }
        Change::SessionRepeated { session, access } => sessions::repeat(tx, organization, *session, access),
        Change::SessionRevoked { session, at } => sessions::revoke(tx, organization, *session, *at),
        Change::SessionsForgotten { before, sessions_max } => sessions::forget(tx, *before, *sessions_max),
        Change::ServiceAccountCreated(account) => accounts::create(tx, organization, account),
        Change::ServiceAccountUpdated { before, after } => accounts::update(tx, organization, before, after),
        Change::ServiceAccountDeleted { account } => accounts::delete(tx, organization, *account),
        Change::ApiKeyCreated { account, key } => accounts::create_key(tx, organization, *account, key),
        Change::ApiKeyDeleted { account, key } => accounts::delete_key(tx, organization, *account, *key),
        Change::ApiKeysUsed { used } => accounts::note_use(tx, used),
    }
}

#[async_trait::async_trait]
impl buildly_auth::token::Store for Sqlite {
    async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.engine.read(keys::all).await
    }

    async fn issuers(&self) -> Result<Vec<String>, StoreError> {
        self.engine.read(keys::issuers).await
    }

    async fn applications(&self) -> Result<Vec<Application>, StoreError> {
        self.engine.read(applications::all).await
    }

    async fn revoked_sessions(&self) -> Result<Vec<SessionId>, StoreError> {
        self.engine.read(sessions::revoked).await
    }

    async fn service_accounts(&self) -> Result<Vec<ServiceAccount>, StoreError> {
        self.engine.read(accounts::all).await
    }

    async fn find_service_account(
        &self,
        organization: OrganizationId,
        account: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.engine.read(move |tx| accounts::find(tx, organization, account)).await
    }

    async fn find_session(&self, session: SessionId) -> Result<Option<Session>, StoreError> {
        self.engine.read(move |tx| sessions::find(tx, session)).await
    }

    async fn sessions_of(
        &self,
        organization: Option<OrganizationId>,
        user: UserId,
        sessions_max: u32,
    ) -> Result<Vec<Session>, StoreError> {
        self.engine.read(move |tx| sessions::of_user(tx, organization, user, sessions_max)).await
    }

    async fn find_refresh_token(&self, hash: &SecretHash) -> Result<Option<FoundRefreshToken>, StoreError> {
        let hash = *hash;
        self.engine.read(move |tx| sessions::find_refresh_token(tx, &hash)).await
    }

    async fn list_access_tokens(
        &self,
        user: Option<UserId>,
        now: Timestamp,
        after: i64,
        tokens_max: u32,
    ) -> Result<Vec<Listed<AccessToken>>, StoreError> {
        self.engine.read(move |tx| lists::access_tokens(tx, user, now, after, tokens_max)).await
    }

    async fn list_refresh_tokens(
        &self,
        user: Option<UserId>,
        after: i64,
        tokens_max: u32,
    ) -> Result<Vec<Listed<RefreshToken>>, StoreError> {
        self.engine.read(move |tx| lists::refresh_tokens(tx, user, after, tokens_max)).await
    }

    async fn has_ended_tokens(&self, before: Timestamp) -> Result<bool, StoreError> {
        self.engine.read(move |tx| sessions::has_ended(tx, before)).await
    }
}
