//! The integers by which old clients call users and groups.

use std::collections::{BTreeSet, HashMap};

use buildly_core::auth::identity::{GroupKey, UserKey};
use buildly_core::auth::{Auth, Error};
use buildly_model::{GroupId, Principal, UserId};

use crate::Problem;

/// The integers of the users and groups that the caller sees.
#[derive(Default)]
pub(super) struct Numbers {
    users: HashMap<UserId, i64>,
    groups: HashMap<GroupId, i64>,
}

impl Numbers {
    /// Two reads, however many there are.
    pub(super) async fn of(
        auth: &Auth,
        principal: &Principal,
        users: BTreeSet<UserId>,
        groups: BTreeSet<GroupId>,
    ) -> Result<Self, Error> {
        let mut numbers = Self::default();
        if !users.is_empty() {
            let keys: Vec<UserKey> = users.into_iter().map(UserKey::Id).collect();
            let views = auth.users_by_key(principal, &keys).await?;
            numbers.users = views.into_iter().map(|view| (view.user.id, view.user.number)).collect();
        }
        if !groups.is_empty() {
            let ids: Vec<GroupId> = groups.into_iter().collect();
            let groups = auth.groups_by_id(principal, &ids).await?;
            numbers.groups = groups.into_iter().map(|group| (group.id, group.number)).collect();
        }
        Ok(numbers)
    }

    pub(super) fn user(&self, user: Option<UserId>) -> Option<i64> {
        self.users.get(&user?).copied()
    }

    pub(super) fn users(&self, users: &[UserId]) -> Vec<i64> {
        users.iter().filter_map(|user| self.users.get(user).copied()).collect()
    }

    pub(super) fn group(&self, group: Option<GroupId>) -> Option<i64> {
        self.groups.get(&group?).copied()
    }

    pub(super) fn groups(&self, groups: &[GroupId]) -> Vec<i64> {
        groups.iter().filter_map(|group| self.groups.get(group).copied()).collect()
    }
}

/// The ids of the groups that a field names; what the caller does not see is not there.
pub(super) async fn group_ids(
    auth: &Auth,
    principal: &Principal,
    field: &str,
    keys: &[GroupKey],
) -> Result<Vec<GroupId>, Problem> {
    let mut ids = Vec::with_capacity(keys.len());
    for key in keys {
        match auth.group(principal, *key).await {
            Ok(group) => ids.push(group.id),
            Err(Error::NotFound { .. } | Error::Forbidden(_)) => return Err(unknown(field)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(ids)
}

/// The ids of the users that a field names; whom the caller does not see is not there.
pub(super) async fn user_ids(
    auth: &Auth,
    principal: &Principal,
    field: &str,
    keys: &[UserKey],
) -> Result<Vec<UserId>, Problem> {
    let views = auth.users_by_key(principal, keys).await?;
    let find = |key: &UserKey| {
        let is_it = |user: UserId, number: i64| *key == UserKey::Id(user) || *key == UserKey::Number(number);
        views.iter().find(|view| is_it(view.user.id, view.user.number)).map(|view| view.user.id)
    };
    keys.iter().map(find).collect::<Option<_>>().ok_or_else(|| unknown(field))
}

fn unknown(field: &str) -> Problem {
    Problem::field(field, "Invalid pk - object does not exist.")
}
