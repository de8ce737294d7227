//! Looking at users: everybody sees the own organization, administrators of the deployment
//! see all.

use std::collections::{BTreeMap, BTreeSet};

use buildly_model::{OrganizationId, Principal, UserId};

use super::view::{List, UserView};
use super::{Place, Scope, User, UserKey};
use crate::permission::Reason;
use crate::{Auth, Error};

/// The most users whose names are asked for at once.
const NAMES_MAX: usize = 1000;

impl Auth {
    /// The users that the caller sees, of one organization if it is named, after a place.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub async fn users(
        &self,
        principal: &Principal,
        organization: Option<OrganizationId>,
        after: Option<&Place>,
    ) -> Result<List<UserView>, Error> {
        let caller = self.caller(principal).await?;
        let scope = match (caller.scope(), organization) {
            (Some(Scope::Deployment), Some(organization)) => Some(Scope::Organization(organization)),
            (Some(Scope::Organization(own)), Some(organization)) if own != organization => None,
            (scope, _) => scope,
        };
        let rows_max = self.settings().rows_max;
        let users = match scope {
            Some(scope) => self.parts.store.users(scope, after, rows_max.saturating_add(1)).await?,
            None => Vec::new(),
        };
        let place = |last: &User| Place { name: last.first_name.clone(), number: last.number };
        let List { items, is_cut, next } = List::placed(users, rows_max, place);
        Ok(List { items: self.views(items).await?, is_cut, next })
    }

    /// One user; another organization's reads as missing.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotSignedIn`].
    pub async fn user(&self, principal: &Principal, key: UserKey) -> Result<UserView, Error> {
        let caller = self.caller(principal).await?;
        let scope = caller.scope().ok_or(Error::NotFound { what: "user" })?;
        let found = self.parts.store.find_user(scope, key).await?;
        self.view(found.ok_or(Error::NotFound { what: "user" })?).await
    }

    /// Those of these users that the caller sees, in no order.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub async fn users_by_key(
        &self,
        principal: &Principal,
        keys: &[UserKey],
    ) -> Result<Vec<UserView>, Error> {
        let caller = self.caller(principal).await?;
        let Some(scope) = caller.scope() else { return Ok(Vec::new()) };
        let (mut ids, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for key in keys {
            match *key {
                UserKey::Id(id) => drop(ids.insert(id)),
                UserKey::Number(number) => drop(numbers.insert(number)),
            }
        }
        let ids: Vec<UserId> = ids.into_iter().collect();
        let mut found = self.parts.store.users_by_id(scope, &ids).await?;
        for number in numbers {
            found.extend(self.parts.store.find_user(scope, UserKey::Number(number)).await?);
        }
        found.sort_unstable_by_key(|user| user.id);
        found.dedup_by_key(|user| user.id);
        self.views(found).await
    }

    /// The caller's own account.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; [`Error::NotFound`] if the caller is no person.
    pub async fn me(&self, principal: &Principal) -> Result<UserView, Error> {
        let caller = self.caller(principal).await?;
        let user = caller.principal.user().ok_or(Error::NotFound { what: "user" })?;
        self.view_by_id(user).await
    }

    /// Given and family names of those of `users` that the caller sees.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; [`Error::Invalid`] if too many are asked for.
    pub async fn names(
        &self,
        principal: &Principal,
        users: &[UserId],
    ) -> Result<BTreeMap<UserId, (String, String)>, Error> {
        let caller = self.caller(principal).await?;
        if users.len() > NAMES_MAX {
            return Err(Error::field("users", format!("Ask for at most {NAMES_MAX} users at once.")));
        }
        let Some(scope) = caller.scope() else { return Ok(BTreeMap::new()) };
        let found = self.parts.store.users_by_id(scope, users).await?;
        Ok(found.into_iter().map(|user| (user.id, (user.first_name, user.last_name))).collect())
    }

    /// A user whom the caller wants to change. Whoever is not seen by the caller may not be
    /// changed either, and nothing tells whether there is such a user.
    pub(crate) async fn user_to_change(
        &self,
        caller: &super::caller::Caller<'_>,
        key: UserKey,
    ) -> Result<User, Error> {
        let scope = caller.scope().ok_or(Error::Forbidden(Reason::OtherOrganization))?;
        let found = self.parts.store.find_user(scope, key).await?;
        match scope {
            Scope::Deployment => found.ok_or(Error::NotFound { what: "user" }),
            Scope::Organization(_) => found.ok_or(Error::Forbidden(Reason::OtherOrganization)),
        }
    }
}
