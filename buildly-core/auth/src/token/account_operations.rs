//! Service accounts and their API keys; for administrators of the organization.

use buildly_journal::{Event, Part};
use buildly_model::{
    Action, GroupId, OrganizationId, Principal, Secret, ServiceAccountId, StoreError, Timestamp, TokenId,
};
use serde_json::json;

use super::{ApiKey, Change, ServiceAccount, api_key};
use crate::identity::{ATTEMPTS_MAX, Input, is_stale};
use crate::{Auth, Error, Resource, Snapshot};

/// The longest name, in bytes.
const NAME_LENGTH_MAX: usize = 200;
/// The longest description, in bytes.
const DESCRIPTION_LENGTH_MAX: usize = 4096;
/// The most accounts of one organization: they are all kept in memory.
const ACCOUNTS_MAX: usize = 1000;
/// The most groups of one account.
const GROUPS_MAX: usize = 100;
/// The most keys of one account.
const KEYS_MAX: usize = 20;

/// A service account to make.
#[derive(Debug, Clone, Default)]
pub struct NewServiceAccount {
    /// What people call it; unique in the organization.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The groups whose rights it has.
    pub groups: Vec<GroupId>,
}

/// What to change of a service account.
#[derive(Debug, Clone, Default)]
pub struct ServiceAccountPatch {
    /// What people call it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether its keys work.
    pub is_active: Option<bool>,
    /// The groups whose rights it has; they replace those it had.
    pub groups: Option<Vec<GroupId>>,
}

/// An API key to make.
#[derive(Debug, Clone, Default)]
pub struct NewApiKey {
    /// What people call it.
    pub name: String,
    /// When it stops working; `None` for never.
    pub expires_at: Option<Timestamp>,
}

impl Auth {
    /// Makes a service account in the caller's organization; it has no keys yet.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the organization, [`Error::Invalid`],
    /// [`Error::Conflict`] if it has too many, [`Error::Store`].
    pub async fn create_service_account(
        &self,
        principal: &Principal,
        new: NewServiceAccount,
    ) -> Result<ServiceAccount, Error> {
        let (organization, snapshot) = self.administered(principal, Action::Create).await?;
        let now = self.parts.clock.now();
        let account = ServiceAccount {
            id: ServiceAccountId::generate(now, &*self.parts.random),
            organization,
            name: new.name.trim().to_owned(),
            description: new.description,
            is_active: true,
            groups: sorted(new.groups),
            keys: Vec::new(),
            created_at: now,
        };
        check(&snapshot, &account)?;
        if snapshot.token.service_accounts(organization).len() >= ACCOUNTS_MAX {
            let reason =
                format!("an organization has at most {ACCOUNTS_MAX} service accounts; remove one first");
            return Err(Error::Conflict { reason });
        }
        let (id, change) = (account.id, Change::ServiceAccountCreated(account));
        let part = self.account_part("auth.service_account.created", organization, id, change, principal);
        self.commit_account(part).await?;
        self.own_account(organization, id)
    }

    /// The service accounts of the caller's organization, by name.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the organization.
    pub async fn service_accounts(&self, principal: &Principal) -> Result<Vec<ServiceAccount>, Error> {
        let (organization, snapshot) = self.administered(principal, Action::Read).await?;
        Ok(snapshot.token.service_accounts(organization).into_iter().cloned().collect())
    }

    /// One service account of the caller's organization.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the organization, [`Error::NotFound`].
    pub async fn service_account(
        &self,
        principal: &Principal,
        account: ServiceAccountId,
    ) -> Result<ServiceAccount, Error> {
        let (organization, _) = self.administered(principal, Action::Read).await?;
        self.own_account(organization, account)
    }

    /// Changes a service account.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the organization, [`Error::NotFound`],
    /// [`Error::Invalid`], [`Error::Store`].
    pub async fn update_service_account(
        &self,
        principal: &Principal,
        account: ServiceAccountId,
        patch: ServiceAccountPatch,
    ) -> Result<ServiceAccount, Error> {
        let mut attempt = 1;
        loop {
            match self.try_update_service_account(principal, account, &patch).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_stale(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    /// Reads the storage, not the snapshot: that may be a moment behind a change it competes with.
    async fn try_update_service_account(
        &self,
        principal: &Principal,
        account: ServiceAccountId,
        patch: &ServiceAccountPatch,
    ) -> Result<ServiceAccount, Error> {
        let (organization, snapshot) = self.administered(principal, Action::Update).await?;
        let found = self.parts.store.find_service_account(organization, account).await?;
        let before = found.ok_or(Error::NotFound { what: "service account" })?;
        let mut after = before.clone();
        if let Some(name) = &patch.name {
            name.trim().clone_into(&mut after.name);
        }
        if let Some(description) = &patch.description {
            after.description.clone_from(description);
        }
        after.is_active = patch.is_active.unwrap_or(before.is_active);
        if let Some(groups) = &patch.groups {
            after.groups = sorted(groups.clone());
        }
        check(&snapshot, &after)?;
        let change = Change::ServiceAccountUpdated { before: Box::new(before), after: Box::new(after) };
        let part =
            self.account_part("auth.service_account.updated", organization, account, change, principal);
        self.commit_account(part.taking_rights()).await?;
        self.own_account(organization, account)
    }

    /// Removes a service account; its keys stop working everywhere.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the organization, [`Error::NotFound`],
    /// [`Error::Store`].
    pub async fn delete_service_account(
        &self,
        principal: &Principal,
        account: ServiceAccountId,
    ) -> Result<(), Error> {
        let (organization, _) = self.administered(principal, Action::Delete).await?;
        self.own_account(organization, account)?;
        let change = Change::ServiceAccountDeleted { account };
        let part =
            self.account_part("auth.service_account.deleted", organization, account, change, principal);
        self.commit_account(part.taking_rights()).await
    }

    /// Makes an API key of a service account. Its text is in the answer, and nowhere else.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the organization, [`Error::NotFound`],
    /// [`Error::Invalid`], [`Error::Store`].
    pub async fn create_api_key(
        &self,
        principal: &Principal,
        account: ServiceAccountId,
        new: NewApiKey,
    ) -> Result<(ApiKey, Secret), Error> {
        let (organization, _) = self.administered(principal, Action::Create).await?;
        let existing = self.own_account(organization, account)?;
        let now = self.parts.clock.now();
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::field("expires_at", "expected an instant in the future."));
        }
        if new.name.len() > NAME_LENGTH_MAX {
            return Err(Error::field("name", format!("at most {NAME_LENGTH_MAX} bytes.")));
        }
        let mut input = Input::default();
        input.no_null("name", &new.name);
        input.done()?;
        if existing.keys.len() >= KEYS_MAX {
            return Err(Error::field("keys", format!("at most {KEYS_MAX}; delete one first.")));
        }
        let id = TokenId::generate(now, &*self.parts.random);
        let (text, secret) = api_key::draw(id, &*self.parts.random);
        let key = ApiKey {
            id,
            name: new.name,
            secret,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
        };
        let change = Change::ApiKeyCreated { account, key: key.clone() };
        let part =
            self.account_part("auth.service_account.key_created", organization, account, change, principal);
        self.commit_account(part).await?;
        Ok((key, text))
    }

    /// Removes an API key; it stops working everywhere.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the organization, [`Error::NotFound`],
    /// [`Error::Store`].
    pub async fn delete_api_key(
        &self,
        principal: &Principal,
        account: ServiceAccountId,
        key: TokenId,
    ) -> Result<(), Error> {
        let (organization, _) = self.administered(principal, Action::Delete).await?;
        let existing = self.own_account(organization, account)?;
        if !existing.keys.iter().any(|own| own.id == key) {
            return Err(Error::NotFound { what: "API key" });
        }
        let change = Change::ApiKeyDeleted { account, key };
        let part =
            self.account_part("auth.service_account.key_deleted", organization, account, change, principal);
        self.commit_account(part.taking_rights()).await
    }

    /// The organization that the caller administers, and a snapshot that has it.
    async fn administered(
        &self,
        principal: &Principal,
        action: Action,
    ) -> Result<(OrganizationId, std::sync::Arc<Snapshot>), Error> {
        let Some(organization) = principal.organization else {
            return Err(if principal.is_signed_in() {
                Error::Forbidden(crate::Reason::OtherOrganization)
            } else {
                Error::NotSignedIn
            });
        };
        let snapshot = self.parts.snapshots.with_organization(organization).await?;
        snapshot.check(principal, action, Resource::Administration(organization)).require()?;
        Ok((organization, snapshot))
    }

    fn own_account(
        &self,
        organization: OrganizationId,
        account: ServiceAccountId,
    ) -> Result<ServiceAccount, Error> {
        let snapshot = self.parts.snapshots.current();
        snapshot
            .token
            .service_account(account)
            .filter(|account| account.organization == organization)
            .cloned()
            .ok_or(Error::NotFound { what: "service account" })
    }

    fn account_part(
        &self,
        kind: &'static str,
        organization: OrganizationId,
        account: ServiceAccountId,
        change: Change,
        principal: &Principal,
    ) -> Part<crate::Change> {
        let payload = match &change {
            Change::ServiceAccountCreated(account) => described(account),
            Change::ServiceAccountUpdated { after, .. } => described(after),
            Change::ApiKeyCreated { key, .. } => json!({ "key": key.id, "expires_at": key.expires_at }),
            Change::ApiKeyDeleted { key, .. } => json!({ "key": key }),
            _ => serde_json::Value::Null,
        };
        let event = Event::new(kind, account, payload, principal, &*self.parts.clock, &*self.parts.random);
        Part::of(Some(organization), change.into(), event)
    }

    async fn commit_account(&self, part: Part<crate::Change>) -> Result<(), Error> {
        match self.parts.commits.commit(part).await {
            Err(StoreError::Taken { field }) => {
                Err(Error::field(field, "another service account of the organization has it already."))
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(()),
        }
    }
}

fn described(account: &ServiceAccount) -> serde_json::Value {
    json!({ "name": account.name, "is_active": account.is_active, "groups": account.groups })
}

fn sorted(mut groups: Vec<GroupId>) -> Vec<GroupId> {
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// Only groups of its own organization: a script never administers the deployment.
fn check(snapshot: &Snapshot, account: &ServiceAccount) -> Result<(), Error> {
    let mut faults = Input::default();
    faults.no_null("name", &account.name);
    faults.no_null("description", &account.description);
    if account.name.is_empty() || account.name.len() > NAME_LENGTH_MAX {
        faults.refuse("name", format!("expected 1 to {NAME_LENGTH_MAX} bytes."));
    }
    if account.description.len() > DESCRIPTION_LENGTH_MAX {
        faults.refuse("description", format!("at most {DESCRIPTION_LENGTH_MAX} bytes."));
    }
    if account.groups.len() > GROUPS_MAX {
        faults.refuse("groups", format!("at most {GROUPS_MAX}."));
    }
    for group in account.groups.iter().take(GROUPS_MAX) {
        let found = snapshot.identity.group(Some(account.organization), *group);
        if found.is_none_or(|group| group.organization != Some(account.organization)) {
            faults.refuse("groups", format!("there is no group `{group}` in the organization."));
        }
    }
    faults.done()
}
