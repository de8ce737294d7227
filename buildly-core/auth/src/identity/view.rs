//! Users as they are shown: with their organization and groups.

use std::collections::{BTreeSet, HashMap};

use buildly_model::{GroupId, OrganizationId, UserId};

use super::{Group, Organization, Place, Scope, User, UserKey};
use crate::{Auth, Error};

/// A user with what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct UserView {
    /// The user.
    pub user: User,
    /// Where the user belongs.
    pub organization: Option<Organization>,
    /// The groups that the user is a member of, by name.
    pub groups: Vec<Group>,
}

/// A list without pages: it ends at a maximum.
#[derive(Debug, Clone, PartialEq)]
pub struct List<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether there are more than the maximum.
    pub is_cut: bool,
    /// Where a list that was cut goes on, if it can be asked for.
    pub next: Option<Place>,
}

impl<T> List<T> {
    /// Of rows that were asked for with one more than `rows_max`.
    pub(crate) fn of(mut items: Vec<T>, rows_max: u32) -> Self {
        let is_cut = items.len() > rows_max as usize;
        items.truncate(rows_max as usize);
        Self { items, is_cut, next: None }
    }

    /// As [`List::of`], of rows whose place is known.
    pub(crate) fn placed(items: Vec<T>, rows_max: u32, place: impl FnOnce(&T) -> Place) -> Self {
        let mut list = Self::of(items, rows_max);
        list.next = list.items.last().filter(|_| list.is_cut).map(place);
        list
    }

    /// The same list of other things.
    pub fn map<U>(self, into: impl FnMut(T) -> U) -> List<U> {
        List { items: self.items.into_iter().map(into).collect(), is_cut: self.is_cut, next: self.next }
    }
}

impl Auth {
    /// Reads a user back after a change.
    pub(crate) async fn view_by_id(&self, user: UserId) -> Result<UserView, Error> {
        let found = self.parts.store.find_user(Scope::Deployment, UserKey::Id(user)).await?;
        self.view(found.ok_or(Error::NotFound { what: "user" })?).await
    }

    pub(crate) async fn view(&self, user: User) -> Result<UserView, Error> {
        let views = self.views(vec![user]).await?;
        views.into_iter().next().ok_or(Error::NotFound { what: "user" })
    }

    /// Two reads, however many users there are.
    pub(crate) async fn views(&self, users: Vec<User>) -> Result<Vec<UserView>, Error> {
        let organizations: BTreeSet<OrganizationId> =
            users.iter().filter_map(|user| user.organization).collect();
        let groups: BTreeSet<GroupId> = users.iter().flat_map(|user| user.groups.iter().copied()).collect();
        let organizations: Vec<OrganizationId> = organizations.into_iter().collect();
        let groups: Vec<GroupId> = groups.into_iter().collect();
        let organizations = self.parts.store.organizations_by_id(&organizations).await?;
        let groups = self.parts.store.groups_by_id(&groups).await?;
        let organizations: HashMap<OrganizationId, Organization> =
            organizations.into_iter().map(|organization| (organization.id, organization)).collect();
        let groups: HashMap<GroupId, Group> = groups.into_iter().map(|group| (group.id, group)).collect();
        let view = |user: User| UserView {
            organization: user.organization.and_then(|id| organizations.get(&id).cloned()),
            groups: user.groups.iter().filter_map(|id| groups.get(id).cloned()).collect(),
            user,
        };
        Ok(users.into_iter().map(view).collect())
    }
}
