//! The hot state that tokens are checked against.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use buildly_journal::FeedEvent;
use buildly_model::{
    ApplicationId, OrganizationId, ServiceAccountId, SessionId, StoreError, Timestamp, TokenId,
};
use jsonwebtoken::DecodingKey;

use super::signing_key::parse_public;
use super::verify::Signatures;
use super::{ApiKey, Application, ServiceAccount, StoredKey, api_key};

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
    signatures: Signatures,
}

/// What a snapshot is made of.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) keys: Vec<StoredKey>,
    pub(super) issuers: Vec<String>,
    pub(super) applications: Vec<Application>,
    pub(super) accounts: Vec<ServiceAccount>,
    pub(super) revoked: Vec<SessionId>,
}

/// A key with its public part ready to verify.
#[derive(Debug, Clone)]
pub(super) struct SnapshotKey {
    pub(super) name: Arc<str>,
    pub(super) stored: Arc<StoredKey>,
    pub(super) public: Arc<DecodingKey>,
}

#[derive(Debug, Default)]
struct Applications {
    by_id: HashMap<ApplicationId, Arc<Application>>,
    by_client_id: HashMap<String, Arc<Application>>,
}

#[derive(Debug, Clone, Default)]
struct Accounts {
    by_id: HashMap<ServiceAccountId, Arc<ServiceAccount>>,
    by_key: HashMap<TokenId, KeyPlace>,
}

/// Where an API key is, and when it was used last (microseconds; 0: not since the start).
/// The instant is shared by all snapshots that come from one another.
#[derive(Debug, Clone)]
struct KeyPlace {
    account: ServiceAccountId,
    used_at: Arc<AtomicI64>,
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
        Self::of(Rows {
            keys: store.signing_keys().await?,
            issuers: store.issuers().await?,
            applications: store.applications().await?,
            accounts: store.service_accounts().await?,
            revoked: store.revoked_sessions().await?,
        })
    }

    /// The snapshot of these rows.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a key cannot be read.
    pub(super) fn of(rows: Rows) -> Result<Self, StoreError> {
        Ok(Self {
            keys: keys_of(rows.keys)?,
            issuers: Arc::new(rows.issuers.into_iter().collect()),
            applications: applications_of(rows.applications),
            accounts: Arc::new(Accounts::of(rows.accounts)),
            revoked: Arc::new(Revoked::of(rows.revoked)),
            signatures: Signatures::default(),
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
            next.keys = keys_of(store.signing_keys().await?)?;
        }
        if touched("issuer") {
            next.issuers = Arc::new(store.issuers().await?.into_iter().collect());
        }
        if touched("application") {
            next.applications = applications_of(store.applications().await?);
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
    pub fn keys(&self) -> impl Iterator<Item = &Arc<StoredKey>> + Clone {
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

    #[cfg(test)]
    pub(super) fn share_signatures_of(&mut self, other: &Self) {
        self.signatures = other.signatures.clone();
    }

    pub(super) const fn signatures(&self) -> &Signatures {
        &self.signatures
    }

    pub(super) fn api_key(&self, id: TokenId) -> Option<(&ServiceAccount, &ApiKey)> {
        let account = self.accounts.by_id.get(&self.accounts.by_key.get(&id)?.account)?;
        Some((account, account.keys.iter().find(|key| key.id == id)?))
    }

    /// Remembers in memory that an API key was used; other tokens are passed over.
    pub(super) fn note_use(&self, token: &str, now: Timestamp) {
        if let Some(place) = api_key::id_of(token).and_then(|id| self.accounts.by_key.get(&id)) {
            place.used_at.store(now.as_microseconds(), Ordering::Relaxed);
        }
    }

    /// The keys whose last use is not written down yet, save for uses less than `grain` apart.
    pub(super) fn unwritten_uses(&self, grain: std::time::Duration) -> Vec<(TokenId, Timestamp)> {
        let keys = self.accounts.by_id.values().flat_map(|account| &account.keys);
        let unwritten = keys.filter_map(|key| {
            let used_at = self.accounts.by_key.get(&key.id)?.used_at.load(Ordering::Relaxed);
            let used_at = Timestamp::from_microseconds(used_at);
            let written = key.last_used_at.unwrap_or(Timestamp::EPOCH);
            (used_at > written.after(grain)).then_some((key.id, used_at))
        });
        unwritten.collect()
    }

    async fn follow_accounts(
        &mut self,
        events: &[FeedEvent],
        store: &Arc<dyn crate::Store>,
    ) -> Result<(), StoreError> {
        let mut touched: HashSet<(OrganizationId, ServiceAccountId)> = HashSet::new();
        for event in events.iter().filter(|event| event.kind.starts_with("auth.service_account.")) {
            // Keys come and go by events of their account.
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
        let before = self.by_id.remove(&id);
        let mut places: HashMap<TokenId, KeyPlace> = HashMap::new();
        for key in before.iter().flat_map(|account| &account.keys) {
            places.extend(self.by_key.remove(&key.id).map(|place| (key.id, place)));
        }
        if let Some(account) = account {
            for key in &account.keys {
                let unused = || KeyPlace { account: id, used_at: Arc::default() };
                self.by_key.insert(key.id, places.remove(&key.id).unwrap_or_else(unused));
            }
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

fn keys_of(rows: Vec<StoredKey>) -> Result<Arc<Vec<SnapshotKey>>, StoreError> {
    let mut keys = Vec::new();
    for stored in rows {
        let public = parse_public(stored.algorithm, &stored.public)
            .ok_or_else(|| StoreError::corrupt(format!("signing key `{}` cannot be read", stored.id)))?;
        let name = Arc::from(stored.id.as_str());
        keys.push(SnapshotKey { name, stored: Arc::new(stored), public: Arc::new(public) });
    }
    Ok(Arc::new(keys))
}

fn applications_of(rows: Vec<Application>) -> Arc<Applications> {
    let mut applications = Applications::default();
    for application in rows {
        let application = Arc::new(application);
        applications.by_client_id.insert(application.client_id.clone(), application.clone());
        applications.by_id.insert(application.id, application);
    }
    Arc::new(applications)
}
