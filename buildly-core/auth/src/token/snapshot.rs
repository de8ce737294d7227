//! The hot state that tokens are checked against.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use buildly_journal::FeedEvent;
use buildly_model::{ApplicationId, OrganizationId, ServiceAccountId, SessionId, StoreError, TokenId};

use super::signing_key::parse_public;
use super::{ApiKey, Application, KeyId, ServiceAccount, StoredKey};

/// How many shares the revoked sessions are kept in; a revocation copies one of them.
const SHARES: usize = 64;

/// Keys, issuers, applications, service accounts and revoked sessions at one revision.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    keys: Arc<Vec<SnapshotKey>>,
    issuers: Arc<HashSet<String>>,
    applications: Arc<Applications>,
    accounts: Arc<Accounts>,
    revoked: Arc<Revoked>,
}

/// A key with its public part ready to verify.
#[derive(Debug, Clone)]
pub(super) struct SnapshotKey {
    pub(super) stored: Arc<StoredKey>,
    pub(super) public: Arc<ParsedPublicKey>,
}

#[derive(Debug, Default)]
struct Applications {
    by_id: HashMap<ApplicationId, Arc<Application>>,
    by_client_id: HashMap<String, Arc<Application>>,
}

#[derive(Debug, Clone, Default)]
struct Accounts {
    by_id: HashMap<ServiceAccountId, Arc<ServiceAccount>>,
    by_key: HashMap<TokenId, ServiceAccountId>,
}

#[derive(Debug, Clone, Default)]
struct Revoked {
    shares: Vec<Arc<HashSet<SessionId>>>,
}

impl Snapshot {
    /// Loads it from the storage, at start.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn load(store: &Arc<dyn crate::Store>) -> Result<Self, StoreError> {
        Ok(Self {
            keys: load_keys(store).await?,
            issuers: load_issuers(store).await?,
            applications: load_applications(store).await?,
            accounts: Arc::new(Accounts::of(store.service_accounts().await?)),
            revoked: Arc::new(Revoked::of(store.revoked_sessions().await?)),
        })
    }

    /// The next snapshot: reads again only what the events touched.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn follow(
        &self,
        events: &[FeedEvent],
        store: &Arc<dyn crate::Store>,
    ) -> Result<Self, StoreError> {
        let mut next = self.clone();
        let touched = |thing: &str| {
            events.iter().any(|event| {
                event
                    .kind
                    .strip_prefix("auth.")
                    .and_then(|rest| rest.strip_prefix(thing))
                    .is_some_and(|rest| rest.starts_with('.'))
            })
        };
        if touched("signing_key") {
            next.keys = load_keys(store).await?;
        }
        if touched("issuer") {
            next.issuers = load_issuers(store).await?;
        }
        if touched("application") {
            next.applications = load_applications(store).await?;
        }
        next.follow_accounts(events, store).await?;
        next.follow_sessions(events, store).await?;
        Ok(next)
    }

    /// The groups of a service account, for the permission check; empty if there is none
    /// such, or it is switched off.
    #[must_use]
    pub fn groups_of(&self, account: ServiceAccountId) -> &[buildly_model::GroupId] {
        self.accounts
            .by_id
            .get(&account)
            .filter(|account| account.is_active)
            .map_or(&[], |account| account.groups.as_slice())
    }

    /// A service account.
    #[must_use]
    pub fn service_account(&self, account: ServiceAccountId) -> Option<&ServiceAccount> {
        self.accounts.by_id.get(&account).map(Arc::as_ref)
    }

    /// The service accounts of an organization, by name.
    #[must_use]
    pub fn service_accounts(&self, organization: OrganizationId) -> Vec<&ServiceAccount> {
        let own = |account: &&Arc<ServiceAccount>| account.organization == organization;
        let mut accounts: Vec<&ServiceAccount> =
            self.accounts.by_id.values().filter(own).map(Arc::as_ref).collect();
        accounts.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        accounts
    }

    /// An application by its id.
    #[must_use]
    pub fn application(&self, application: ApplicationId) -> Option<&Application> {
        self.applications.by_id.get(&application).map(Arc::as_ref)
    }

    /// An application by the name it presents itself with.
    #[must_use]
    pub fn application_named(&self, client_id: &str) -> Option<&Application> {
        self.applications.by_client_id.get(client_id).map(Arc::as_ref)
    }

    /// All applications, by number.
    #[must_use]
    pub fn applications(&self) -> Vec<&Application> {
        let mut applications: Vec<&Application> = self.applications.by_id.values().map(Arc::as_ref).collect();
        applications.sort_by_key(|application| application.number);
        applications
    }

    /// The signing keys, by generation; their private parts are sealed.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<StoredKey>> {
        self.keys.iter().map(|key| &key.stored)
    }

    /// Whether tokens were ever issued under this name.
    #[must_use]
    pub fn knows_issuer(&self, issuer: &str) -> bool {
        self.issuers.contains(issuer)
    }

    /// Whether the session was revoked.
    #[must_use]
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.revoked.contains(session)
    }

    pub(super) fn key(&self, id: &str) -> Option<&SnapshotKey> {
        self.keys.iter().find(|key| key.stored.id.as_str() == id)
    }

    pub(super) fn key_by_id(&self, id: &KeyId) -> Option<&SnapshotKey> {
        self.key(id.as_str())
    }

    pub(super) fn api_key(&self, id: TokenId) -> Option<(&ServiceAccount, &ApiKey)> {
        let account = self.accounts.by_id.get(self.accounts.by_key.get(&id)?)?;
        Some((account, account.keys.iter().find(|key| key.id == id)?))
    }

    async fn follow_accounts(
        &mut self,
        events: &[FeedEvent],
        store: &Arc<dyn crate::Store>,
    ) -> Result<(), StoreError> {
        let mut touched: HashSet<(OrganizationId, ServiceAccountId)> = HashSet::new();
        for event in events.iter().filter(|event| event.kind.starts_with("auth.service_account.")) {
            if let (Some(organization), Ok(account)) = (event.organization, event.subject.parse()) {
                touched.insert((organization, account));
            }
        }
        for (organization, account) in touched {
            let found = store.find_service_account(organization, account).await?;
            Arc::make_mut(&mut self.accounts).replace(account, found);
        }
        Ok(())
    }

    async fn follow_sessions(
        &mut self,
        events: &[FeedEvent],
        store: &Arc<dyn crate::Store>,
    ) -> Result<(), StoreError> {
        if events.iter().any(|event| event.kind == "auth.session.forgotten") {
            self.revoked = Arc::new(Revoked::of(store.revoked_sessions().await?));
        }
        for event in events.iter().filter(|event| event.kind == "auth.session.revoked") {
            if let Ok(session) = event.subject.parse() {
                Arc::make_mut(&mut self.revoked).insert(session);
            }
        }
        Ok(())
    }
}

impl Accounts {
    fn of(accounts: Vec<ServiceAccount>) -> Self {
        let mut all = Self::default();
        for account in accounts {
            all.replace(account.id, Some(account));
        }
        all
    }

    fn replace(&mut self, id: ServiceAccountId, account: Option<ServiceAccount>) {
        if let Some(gone) = self.by_id.remove(&id) {
            for key in &gone.keys {
                self.by_key.remove(&key.id);
            }
        }
        if let Some(account) = account {
            self.by_key.extend(account.keys.iter().map(|key| (key.id, id)));
            self.by_id.insert(id, Arc::new(account));
        }
    }
}

impl Revoked {
    fn of(sessions: Vec<SessionId>) -> Self {
        let mut all = Self::default();
        for session in sessions {
            all.insert(session);
        }
        all
    }

    fn insert(&mut self, session: SessionId) {
        self.shares.resize_with(SHARES, Arc::default);
        if let Some(share) = self.shares.get_mut(share_of(session)) {
            Arc::make_mut(share).insert(session);
        }
    }

    fn contains(&self, session: SessionId) -> bool {
        self.shares.get(share_of(session)).is_some_and(|share| share.contains(&session))
    }
}

// The last byte of a UUIDv7 is random, so the shares are of about one size.
fn share_of(session: SessionId) -> usize {
    let last = session.as_uuid().as_bytes().last().copied().unwrap_or(0);
    usize::from(last) % SHARES
}

async fn load_keys(store: &Arc<dyn crate::Store>) -> Result<Arc<Vec<SnapshotKey>>, StoreError> {
    let mut keys = Vec::new();
    for stored in store.signing_keys().await? {
        let public = parse_public(stored.algorithm, &stored.public)
            .ok_or_else(|| StoreError::corrupt(format!("signing key `{}` cannot be read", stored.id)))?;
        keys.push(SnapshotKey { stored: Arc::new(stored), public: Arc::new(public) });
    }
    Ok(Arc::new(keys))
}

async fn load_issuers(store: &Arc<dyn crate::Store>) -> Result<Arc<HashSet<String>>, StoreError> {
    Ok(Arc::new(store.issuers().await?.into_iter().collect()))
}

async fn load_applications(store: &Arc<dyn crate::Store>) -> Result<Arc<Applications>, StoreError> {
    let mut applications = Applications::default();
    for application in store.applications().await? {
        let application = Arc::new(application);
        applications.by_client_id.insert(application.client_id.clone(), application.clone());
        applications.by_id.insert(application.id, application);
    }
    Ok(Arc::new(applications))
}
