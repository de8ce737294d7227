//! Changing users: by administrators of their organization, the own profile by everybody.

use buildly_journal::Part;
use buildly_model::{GroupId, OrganizationId, Principal, Secret, StoreError, UserId};
use serde_json::json;

use super::caller::Caller;
use super::input::Input;
use super::parts::{ATTEMPTS_MAX, is_stale};
use super::profile::ProfileUpdate;
use super::registration::{GROUPS_OF_USER_MAX, unknown_group};
use super::view::UserView;
use super::{Change, Group, GroupKey, Mail, PasswordHash, User, UserKey};
use crate::{Auth, Error};

/// What changes of a user; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct UserUpdate {
    /// The name to sign in with.
    pub username: Option<String>,
    /// The address for mail.
    pub email: Option<String>,
    /// Whether the user may sign in: `true` approves.
    pub is_active: Option<bool>,
    /// A new password.
    pub password: Option<Secret>,
    /// Exactly these groups.
    pub groups: Option<Vec<GroupKey>>,
    /// What the user says about themself.
    pub profile: ProfileUpdate,
}

/// What changes a user, and the mail that goes out once it has.
struct Plan {
    user: UserId,
    parts: Vec<Part<Change>>,
    verification: Option<(Part<Change>, Mail)>,
}

/// Which groups somebody wants a user to have.
pub(crate) struct GroupChoice<'a> {
    /// Where the user belongs.
    pub(crate) organization: Option<OrganizationId>,
    /// What the user has.
    pub(crate) held: &'a [Group],
    /// What is asked for.
    pub(crate) asked: &'a [Group],
}

/// Decides which groups a user gets: those of the own organization as asked for; global ones
/// only from an administrator of the deployment, and nobody else takes them away.
///
/// # Errors
/// [`Error::Invalid`] for groups of other organizations, which read as missing;
/// [`Error::Forbidden`] for global ones.
pub(crate) fn chosen_groups<'a>(
    caller: &Caller<'_>,
    choice: &GroupChoice<'a>,
) -> Result<Vec<&'a Group>, Error> {
    let is_held = |group: &Group| choice.held.iter().any(|held| held.id == group.id);
    for group in choice.asked {
        if group.organization.is_some() && group.organization != choice.organization {
            return Err(unknown_group(GroupKey::Number(group.number)));
        }
        if group.organization.is_none() && !is_held(group) {
            caller.require_global_admin()?;
        }
    }
    let mut chosen: Vec<&Group> = choice.asked.iter().collect();
    if !caller.is_global_admin() {
        let kept = choice.held.iter().filter(|held| held.organization.is_none());
        let missing = kept.filter(|held| choice.asked.iter().all(|asked| asked.id != held.id));
        chosen.extend(missing);
    }
    chosen.sort_unstable_by_key(|group| group.id);
    chosen.dedup_by_key(|group| group.id);
    Ok(chosen)
}

impl Auth {
    /// Changes a user of the caller's own organization.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers that organization;
    /// [`Error::Conflict`] if it would lose its last administrator; [`Error::Invalid`].
    pub async fn update_user(
        &self,
        principal: &Principal,
        key: UserKey,
        update: &UserUpdate,
    ) -> Result<UserView, Error> {
        self.change_user(principal, key, update, false).await
    }

    pub(crate) async fn change_user(
        &self,
        principal: &Principal,
        key: UserKey,
        update: &UserUpdate,
        own_is_allowed: bool,
    ) -> Result<UserView, Error> {
        let mut password_hash = None;
        if let Some(password) = &update.password {
            // A refusal must not cost a hash, nor a race a second one.
            self.plan_change(principal, key, update, own_is_allowed, None).await?;
            password_hash = Some(self.identity.hasher.hash(password).await?);
        }
        let mut attempt = 1;
        loop {
            let plan = self.plan_change(principal, key, update, own_is_allowed, password_hash.as_ref()).await;
            match self.carry_out(plan?).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_stale(&error) => attempt += 1,
                Err(Error::Store(StoreError::Taken { field: "username" })) => {
                    return Err(Error::field("username", "A user with that username already exists."));
                }
                other => return other,
            }
        }
    }

    /// Decides; writes nothing.
    async fn plan_change(
        &self,
        principal: &Principal,
        key: UserKey,
        update: &UserUpdate,
        own_is_allowed: bool,
        password: Option<&PasswordHash>,
    ) -> Result<Plan, Error> {
        let caller = self.caller(principal).await?;
        let user = self.user_to_change(&caller, key).await?;
        let held = self.parts.store.groups_by_id(&user.groups).await?;
        if !(own_is_allowed && caller.is(user.id)) {
            caller.require_admin_of(user.organization)?;
            caller.require_power_over(&user, &held)?;
        }
        self.check_update(update)?;
        if update.password.is_some() && caller.is(user.id) && !self.has_password(&user).await? {
            caller.require_admin_of(user.organization)?;
        }
        let next = self.updated(&caller, &user, &held, update).await?;
        let plan = Plan { user: user.id, parts: Vec::new(), verification: None };
        if next == user && password.is_none() {
            return Ok(plan);
        }
        let verification = self.verification_of(&user, &next);
        let part = self.update_part(principal, &user, next, password).await?;
        Ok(Plan { parts: vec![part], verification, ..plan })
    }

    async fn carry_out(&self, plan: Plan) -> Result<UserView, Error> {
        self.commit_with(plan.parts, plan.verification).await?;
        self.view_by_id(plan.user).await
    }

    fn check_update(&self, update: &UserUpdate) -> Result<(), Error> {
        let mut input = Input::default();
        if let Some(username) = &update.username {
            input.username(username);
        }
        if let Some(email) = update.email.as_deref().filter(|email| !email.is_empty()) {
            input.email("email", email);
        }
        if let Some(password) = &update.password {
            input.password("password", password, self.settings());
        }
        if let Some(groups) = &update.groups {
            input.count("core_groups", groups.len(), GROUPS_OF_USER_MAX);
        }
        update.profile.check(&mut input);
        input.done()
    }

    async fn updated(
        &self,
        caller: &Caller<'_>,
        user: &User,
        held: &[Group],
        update: &UserUpdate,
    ) -> Result<User, Error> {
        let mut next = user.clone();
        update.profile.apply_to_user(&mut next);
        if let Some(username) = &update.username {
            next.username.clone_from(username);
        }
        if let Some(email) = &update.email {
            next.set_email(email);
        }
        if let Some(is_active) = update.is_active {
            next.is_active = is_active;
        }
        if let Some(keys) = &update.groups {
            let asked = self.find_groups(keys).await?;
            let choice = GroupChoice { organization: user.organization, held, asked: &asked };
            next.groups = chosen_groups(caller, &choice)?.iter().map(|group| group.id).collect();
            if same_groups(&next.groups, &user.groups) {
                next.groups.clone_from(&user.groups);
            }
        }
        if next != *user {
            next.edited_at = self.now();
        }
        Ok(next)
    }

    /// What is written: guarded by the last-admin rule where an administrator might go.
    pub(crate) async fn update_part(
        &self,
        principal: &Principal,
        user: &User,
        next: User,
        password: Option<&PasswordHash>,
    ) -> Result<Part<Change>, Error> {
        let organization = user.organization;
        let is_weaker = (user.is_active && !next.is_active)
            || user.groups.iter().any(|group| !next.groups.contains(group));
        let sequence = match organization.filter(|_| is_weaker) {
            Some(organization) => {
                let admins = self.admins_of(organization).await?;
                let groups: &[GroupId] = if next.is_active { &next.groups } else { &[] };
                admins.allow(&admins.with_user(user.id, groups))?;
                Some(admins.sequence)
            }
            None => None,
        };
        let kind = match (user.is_active, next.is_active) {
            (false, true) => "auth.user.activated",
            (true, false) => "auth.user.deactivated",
            _ => "auth.user.updated",
        };
        let facts = json!({
            "is_active": next.is_active,
            "groups": next.groups,
            "password_changed": password.is_some(),
        });
        let takes = is_weaker || password.is_some();
        let mut events = vec![self.event(principal, kind, user.id, facts)];
        let mut changes = Vec::new();
        if !user.has_address(&next.email) {
            changes.push(Change::ProofsForgotten(user.id));
        }
        if next != *user {
            changes.push(Change::UserUpdated(Box::new(next)));
        }
        if let Some(password_hash) = password {
            let (password_hash, at) = (password_hash.clone(), self.now());
            changes.push(Change::PasswordSet { user: user.id, password_hash, at });
            events.push(self.event(principal, "auth.user.password_changed", user.id, json!({})));
        }
        let mut part = Part::of_all(organization, changes, events);
        part.expected_sequence = sequence;
        Ok(if takes { part.taking_rights() } else { part })
    }

    /// Removes a user for good.
    ///
    /// # Errors
    /// As [`Auth::update_user`]; nobody removes the own account.
    pub async fn delete_user(&self, principal: &Principal, key: UserKey) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            match self.try_delete_user(principal, key).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_stale(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    async fn try_delete_user(&self, principal: &Principal, key: UserKey) -> Result<(), Error> {
        let caller = self.caller(principal).await?;
        let user = self.user_to_change(&caller, key).await?;
        caller.require_admin_of(user.organization)?;
        let held = self.parts.store.groups_by_id(&user.groups).await?;
        caller.require_power_over(&user, &held)?;
        if caller.is(user.id) {
            return Err(Error::Conflict { reason: "nobody can remove the own account".to_owned() });
        }
        let event = self.event(principal, "auth.user.deleted", user.id, json!({"username": user.username}));
        let mut part = Part::of(user.organization, Change::UserDeleted(user.id), event).taking_rights();
        if let Some(organization) = user.organization {
            let admins = self.admins_of(organization).await?;
            admins.allow(&admins.with_user(user.id, &[]))?;
            part = part.expecting(admins.sequence);
        }
        self.commit_part(part).await
    }
}

fn same_groups(one: &[GroupId], other: &[GroupId]) -> bool {
    one.len() == other.len() && one.iter().all(|group| other.contains(group))
}
