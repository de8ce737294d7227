//! Groups: members of an organization work on them as their permissions allow; nobody gives
//! away more than they have, and the last admin group stays.

use buildly_journal::Part;
use buildly_model::{Action, Actions, GroupId, OrganizationId, Principal};
use serde_json::json;

use super::caller::Caller;
use super::founding::new_group;
use super::input::{Input, REQUIRED};
use super::parts::{ATTEMPTS_MAX, is_stale};
use super::view::List;
use super::{Change, Group, GroupKey, Place, Scope};
use crate::permission::{Reason, Resource};
use crate::{Auth, Error};

/// The most groups that an organization makes.
pub(crate) const GROUPS_MADE_MAX: u32 = 1000;

/// What changes of a group, or what a new one is; `None` stays, or is as usual.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupUpdate {
    /// What people call it.
    pub name: Option<String>,
    /// Whose group a new one is; later it stays.
    pub organization: Option<OrganizationId>,
    /// Whether its members have its rights in every organization.
    pub is_global: Option<bool>,
    /// Whether its rights count for the whole organization.
    pub is_organization_level: Option<bool>,
    /// Whether new users of the organization join it.
    pub is_default: Option<bool>,
    /// What its members may do.
    pub permissions: Option<Actions>,
}

/// What the parts before make that are written in the same unit: the storage does not have it yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Organizations.
    pub organizations: Vec<OrganizationId>,
    /// Groups, of any organization.
    pub groups: Vec<GroupId>,
}

impl Auth {
    /// The groups that the caller sees, by name, after a place.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub async fn groups(&self, principal: &Principal, after: Option<&Place>) -> Result<List<Group>, Error> {
        let caller = self.caller(principal).await?;
        let rows_max = self.settings().rows_max;
        let Some(scope) = caller.scope() else { return Ok(List::of(Vec::new(), rows_max)) };
        let groups = self.parts.store.groups(scope, after, rows_max.saturating_add(1)).await?;
        let place = |last: &Group| Place { name: last.name.clone(), number: last.number };
        Ok(List::placed(groups, rows_max, place))
    }

    /// One group.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] if it is another organization's.
    pub async fn group(&self, principal: &Principal, key: GroupKey) -> Result<Group, Error> {
        let caller = self.caller(principal).await?;
        self.visible_group(&caller, key).await
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`]; [`Error::Conflict`] if the organization has
    /// too many.
    pub async fn create_group(&self, principal: &Principal, update: &GroupUpdate) -> Result<Group, Error> {
        let id = GroupId::generate(self.now(), &*self.parts.random);
        let part = self.group_part(principal, id, update, &Made::default()).await?;
        self.commit_part(part).await?;
        let found = self.parts.store.find_group(Scope::Deployment, GroupKey::Id(id)).await?;
        found.ok_or(Error::NotFound { what: "group" })
    }

    /// What [`Auth::create_group`] writes, to be written together with something else, and after
    /// what else is `made`.
    ///
    /// # Errors
    /// As [`Auth::create_group`].
    pub async fn group_part(
        &self,
        principal: &Principal,
        id: GroupId,
        update: &GroupUpdate,
        made: &Made,
    ) -> Result<Part<Change>, Error> {
        let caller = self.caller(principal).await?;
        let mut input = Input::default();
        match &update.name {
            Some(name) => input.name("name", name),
            None => input.refuse("name", REQUIRED),
        }
        input.done()?;
        let is_global = update.is_global == Some(true);
        let organization = update.organization.filter(|_| !is_global);
        let now = self.now();
        let mut group = Group { id, ..new_group(organization, now, &*self.parts.random) };
        apply(&mut group, update);
        require(&caller, Action::Create, update.organization)?;
        if is_global {
            caller.require_global_admin()?;
        }
        require_own_rights(&caller, &group)?;
        if group.is_default {
            caller.require_admin_of(group.organization)?;
        }
        if let Some(organization) = organization
            && !made.organizations.contains(&organization)
            && self.parts.store.organizations_by_id(&[organization]).await?.is_empty()
        {
            return Err(Error::field("organization", "There is no such organization."));
        }
        if let Some(organization) = organization {
            self.require_room_for_group(organization, made).await?;
        }
        let facts = json!({"name": group.name, "permissions": group.permissions.bits()});
        let event = self.event(principal, "auth.group.created", group.id, facts);
        Ok(Part::of(organization, Change::GroupCreated(group), event))
    }

    /// Far fewer than [`super::last_admin::GROUPS_MAX`], so that no group that counts is ever
    /// beyond what is read.
    async fn require_room_for_group(&self, organization: OrganizationId, made: &Made) -> Result<(), Error> {
        let groups =
            self.parts.store.groups(Scope::Organization(organization), None, GROUPS_MADE_MAX).await?;
        if groups.len().saturating_add(made.groups.len()) < GROUPS_MADE_MAX as usize {
            return Ok(());
        }
        let reason = format!("an organization has at most {GROUPS_MADE_MAX} groups; remove one first");
        Err(Error::Conflict { reason })
    }

    /// Changes a group.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`]; [`Error::Conflict`] if the organization
    /// would lose its last administrator.
    pub async fn update_group(
        &self,
        principal: &Principal,
        key: GroupKey,
        update: &GroupUpdate,
    ) -> Result<Group, Error> {
        let mut attempt = 1;
        loop {
            match self.try_update_group(principal, key, update).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_stale(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    async fn try_update_group(
        &self,
        principal: &Principal,
        key: GroupKey,
        update: &GroupUpdate,
    ) -> Result<Group, Error> {
        let caller = self.caller(principal).await?;
        let group = self.visible_group(&caller, key).await?;
        require(&caller, Action::Update, group.organization)?;
        let next = changed(&caller, &group, update)?;
        if next == group {
            return Ok(group);
        }
        let next = Group { edited_at: self.now(), ..next };
        let facts = json!({"name": next.name, "permissions": next.permissions.bits()});
        let event = self.event(principal, "auth.group.updated", group.id, facts);
        let part = Part::of(group.organization, Change::GroupUpdated(next.clone()), event);
        let is_lowered = group.is_organization_admin() && !next.is_organization_admin();
        let part = self.guarded(part, &group, is_lowered).await?;
        let is_weaker = group.permissions.union(next.permissions) != next.permissions
            || (group.is_global, group.is_organization_level) != (next.is_global, next.is_organization_level);
        self.commit_part(if is_weaker { part.taking_rights() } else { part }).await?;
        self.read_group(&next).await
    }

    /// Removes a group. It stays attached to services, so that none opens by it.
    ///
    /// # Errors
    /// As [`Auth::update_group`].
    pub async fn delete_group(&self, principal: &Principal, key: GroupKey) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            match self.try_delete_group(principal, key).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_stale(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    async fn try_delete_group(&self, principal: &Principal, key: GroupKey) -> Result<(), Error> {
        let caller = self.caller(principal).await?;
        let group = self.visible_group(&caller, key).await?;
        require(&caller, Action::Delete, group.organization)?;
        require_own_rights(&caller, &group)?;
        if group.is_global_admin() {
            caller.require_superuser()?;
        }
        let event = self.event(principal, "auth.group.deleted", group.id, json!({"name": group.name}));
        let part = Part::of(group.organization, Change::GroupDeleted(group.id), event).taking_rights();
        let part = self.guarded(part, &group, group.is_organization_admin()).await?;
        self.commit_part(part).await
    }

    /// Refuses to take the last admin group away.
    async fn guarded(
        &self,
        part: Part<Change>,
        group: &Group,
        loses_admins: bool,
    ) -> Result<Part<Change>, Error> {
        let Some(organization) = group.organization.filter(|_| loses_admins) else { return Ok(part) };
        let admins = self.admins_of(organization).await?;
        admins.allow(&admins.without_group(group.id))?;
        Ok(part.expecting(admins.sequence))
    }

    /// Those of these groups that the caller sees, in no order.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub async fn groups_by_id(&self, principal: &Principal, groups: &[GroupId]) -> Result<Vec<Group>, Error> {
        let caller = self.caller(principal).await?;
        let mut found = self.parts.store.groups_by_id(groups).await?;
        found.retain(|group| sees(&caller, group));
        Ok(found)
    }

    async fn visible_group(&self, caller: &Caller<'_>, key: GroupKey) -> Result<Group, Error> {
        let found = self.parts.store.find_group(Scope::Deployment, key).await?;
        let group = found.ok_or(Error::NotFound { what: "group" })?;
        if sees(caller, &group) { Ok(group) } else { Err(Error::Forbidden(Reason::OtherOrganization)) }
    }

    async fn read_group(&self, group: &Group) -> Result<Group, Error> {
        let found = self.parts.store.find_group(Scope::Deployment, GroupKey::Id(group.id)).await?;
        found.ok_or(Error::NotFound { what: "group" })
    }
}

fn sees(caller: &Caller<'_>, group: &Group) -> bool {
    let is_own = group.organization.is_some() && group.organization == caller.principal.organization;
    is_own || caller.is_global_admin()
}

fn require(caller: &Caller<'_>, action: Action, organization: Option<OrganizationId>) -> Result<(), Error> {
    match organization {
        Some(organization) => caller.check(action, Resource::Organization(organization)).require().map(drop),
        None => caller.require_global_admin(),
    }
}

/// Decides what a group becomes.
fn changed(caller: &Caller<'_>, group: &Group, update: &GroupUpdate) -> Result<Group, Error> {
    let mut input = Input::default();
    if let Some(name) = &update.name {
        input.name("name", name);
    }
    if update.organization.is_some_and(|organization| group.organization != Some(organization)) {
        return Err(Error::Forbidden(Reason::OtherOrganization));
    }
    if update.is_global.is_some_and(|is_global| is_global != group.is_global) {
        caller.require_global_admin()?;
        if group.organization.is_some() {
            input.refuse("is_global", "A group of an organization cannot become global; make a new one.");
        }
    }
    input.done()?;
    let mut next = group.clone();
    apply(&mut next, update);
    if next.permissions != group.permissions || next.is_organization_level != group.is_organization_level {
        require_own_rights(caller, group)?;
        require_own_rights(caller, &next)?;
    }
    // Who is in which group is for administrators, so what everybody joins is, too.
    if next.is_default != group.is_default {
        caller.require_admin_of(group.organization)?;
    }
    Ok(next)
}

fn apply(group: &mut Group, update: &GroupUpdate) {
    if let Some(name) = &update.name {
        name.trim().clone_into(&mut group.name);
    }
    group.is_global = update.is_global.unwrap_or(group.is_global);
    group.is_organization_level = update.is_organization_level.unwrap_or(group.is_organization_level);
    group.is_default = update.is_default.unwrap_or(group.is_default);
    group.permissions = update.permissions.unwrap_or(group.permissions);
}

/// Whoever may change groups could otherwise raise the own one to everything, here or on a
/// service that it is attached to. Administrators of the organization may join any group of
/// it, so that they are held back by nothing but what a group of an organization can be.
fn require_own_rights(caller: &Caller<'_>, group: &Group) -> Result<(), Error> {
    if caller.is_global_admin() {
        return Ok(());
    }
    let Some(organization) = group.organization else { return Err(Error::Forbidden(Reason::MoreThanOwn)) };
    if caller.require_admin_of(Some(organization)).is_ok() {
        return Ok(());
    }
    let attached = caller.snapshot.identity.services_with(group.id).map(Resource::Service);
    let mut resources = attached.chain([Resource::Organization(organization)]);
    let covers = |own: Actions| own.union(group.permissions) == own;
    if resources.all(|resource| covers(caller.actions_on(resource))) {
        Ok(())
    } else {
        Err(Error::Forbidden(Reason::MoreThanOwn))
    }
}
