//! What this part of auth can change.

use buildly_model::{ApplicationId, ServiceAccountId, SessionId, Timestamp, TokenId};

use super::{
    AccessToken, ApiKey, Application, KeyId, RefreshToken, SecretHash, ServiceAccount, Session, StoredKey,
};

/// A change of keys, sessions, applications or service accounts; storage applies each
/// inside the unit's transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds a signing key. [`buildly_model::StoreError::Taken`] if its generation exists:
    /// another node was faster.
    KeyAdded(StoredKey),
    /// Says until when the tokens of a key that signs no more are accepted.
    KeyRetired {
        /// The key.
        key: KeyId,
        /// The end of its last token.
        verifies_until: Timestamp,
    },
    /// Forgets a key.
    KeyRemoved {
        /// The key.
        key: KeyId,
    },
    /// Remembers a name that tokens are issued under; known names stay as they are.
    IssuerUsed {
        /// The name.
        issuer: String,
        /// Since when.
        at: Timestamp,
    },
    /// Registers an application. [`buildly_model::StoreError::Taken`] for `client_id`.
    ApplicationCreated(Application),
    /// Replaces an application's fields; its number, user and creation stay. Stale unless it is
    /// stored as `before`.
    ApplicationUpdated {
        /// As it was read.
        before: Box<Application>,
        /// As it becomes.
        after: Box<Application>,
    },
    /// Removes an application; tokens issued to it stop working.
    ApplicationDeleted {
        /// The application.
        application: ApplicationId,
    },
    /// Opens a session; stale unless its user is active, in the organization, and still has the
    /// password of that `credential_version`.
    SessionStarted {
        /// The session.
        session: Session,
        /// Its first access token.
        access: AccessToken,
        /// Its first refresh token, where the grant gives one.
        refresh: Option<RefreshToken>,
    },
    /// Trades a refresh token for its successor, if nobody has, the session lives and its user
    /// is as when it was opened; else the unit is stale.
    SessionRefreshed {
        /// The session.
        session: SessionId,
        /// The hash of the token that was presented.
        presented: SecretHash,
        /// What comes after it.
        successor: RefreshToken,
        /// The access token that comes along.
        access: AccessToken,
    },
    /// Issues one more access token where the successor of a refresh token is asked for
    /// again; stale if the session does not live, or its user is not as when it was opened.
    SessionRepeated {
        /// The session.
        session: SessionId,
        /// The access token.
        access: AccessToken,
    },
    /// Ends a session; it stays ended.
    SessionRevoked {
        /// The session.
        session: SessionId,
        /// When.
        at: Timestamp,
    },
    /// Makes a service account, without keys.
    ServiceAccountCreated(ServiceAccount),
    /// Replaces a service account's name, description, activity and groups. Stale unless these
    /// are stored as in `before`; keys come and go by changes of their own.
    ServiceAccountUpdated {
        /// As it was read.
        before: Box<ServiceAccount>,
        /// As it becomes.
        after: Box<ServiceAccount>,
    },
    /// Removes a service account and its keys.
    ServiceAccountDeleted {
        /// The account.
        account: ServiceAccountId,
    },
    /// Adds a key to a service account.
    ApiKeyCreated {
        /// The account.
        account: ServiceAccountId,
        /// The key.
        key: ApiKey,
    },
    /// Removes a key.
    ApiKeyDeleted {
        /// The account.
        account: ServiceAccountId,
        /// The key.
        key: TokenId,
    },
    /// Notes when keys were last used; keys that are gone are passed over.
    ApiKeysUsed {
        /// Each key and the instant.
        used: Vec<(TokenId, Timestamp)>,
    },
    /// Forgets sessions all of whose tokens have ended before `before`, at most `sessions_max`.
    SessionsForgotten {
        /// The instant.
        before: Timestamp,
        /// How many at once.
        sessions_max: u32,
    },
}
