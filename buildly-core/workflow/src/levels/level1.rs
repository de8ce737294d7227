//! Levels 1.

use buildly_model::{Action, GroupId, OrganizationId, Place, Principal, Timestamp, UserId};
use serde_json::json;

use super::{
    Change, Input, Key, Kind, Level1, Level1Filter, Levels, Listed, Record, Row, Standing, again, listed, set,
};
use crate::Error;

/// The most people who work with a level 1.
const USERS_MAX: usize = 1_000;
/// The most groups that are attached to a level.
pub(super) const GROUPS_MAX: usize = 100;

/// What changes of a level 1, or what a new one is; `None` stays, or is as usual.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Level1Update {
    /// What people call it; needed for a new one.
    pub name: Option<String>,
    /// Whose a new one is; later it stays.
    pub organization: Option<OrganizationId>,
    /// What other systems call it.
    pub unique_id: Option<Option<String>>,
    /// Free text.
    pub description: Option<Option<String>>,
    /// When it begins.
    pub start_date: Option<Option<Timestamp>>,
    /// When it ends.
    pub end_date: Option<Option<Timestamp>>,
    /// Where front ends show it.
    pub sort: Option<i64>,
    /// Who works with it; whoever makes one is added.
    pub user_access: Option<Vec<UserId>>,
    /// The groups attached to it.
    pub groups: Option<Vec<GroupId>>,
    /// The template of which each new level 2 starts a run.
    pub template: Option<Option<String>>,
}

impl Levels {
    /// The levels 1 that the caller sees, by name, after a place.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Forbidden`] if the caller belongs nowhere.
    pub async fn level1s(
        &self,
        principal: &Principal,
        filter: &Level1Filter,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Listed<Record<Level1>>, Error> {
        let seen = self.standing(principal).await?.seen()?;
        let rows = self.store.level1s(&seen, filter, after, rows_max.saturating_add(1)).await?;
        Ok(listed(rows, rows_max, |last| Place { name: last.value.name.clone(), number: last.number }))
    }

    /// A level 1.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] if the caller may not look at it.
    pub async fn level1(&self, principal: &Principal, key: Key) -> Result<Record<Level1>, Error> {
        let standing = self.standing(principal).await?;
        self.level1_for(&standing, Action::Read, key).await
    }

    /// Makes a level 1.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may create things of the organization;
    /// [`Error::Invalid`]; [`Error::Conflict`] if there are too many.
    pub async fn create_level1(
        &self,
        principal: &Principal,
        update: &Level1Update,
    ) -> Result<Record<Level1>, Error> {
        let standing = self.standing(principal).await?;
        let organization = match update.organization {
            Some(organization) => organization,
            None => standing.organization()?,
        };
        standing.require(Action::Create, organization, &[])?;
        // Administrators of the deployment may name any, so that it need not be there.
        self.require_members(organization, "user_access", &[]).await?;
        let mut level = Level1::default();
        apply(&mut level, update);
        if let Some(creator) = standing.user.filter(|_| standing.organization == Some(organization))
            && !level.details.user_access.contains(&creator)
        {
            level.details.user_access.push(creator);
        }
        self.check_level1(&standing, organization, &Level1::default(), &level).await?;
        self.require_room(Kind::Level1, Some(organization)).await?;
        let record = self.new_record(organization, level);
        let facts = json!({"name": record.value.name});
        let (id, change) = (record.id, Change::Created(Row::Level1(record)));
        self.write(principal, (organization, id), change, facts).await?;
        self.read_level1(Key::Id(id)).await
    }

    /// Changes a level 1.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_level1(
        &self,
        principal: &Principal,
        key: Key,
        update: &Level1Update,
    ) -> Result<Record<Level1>, Error> {
        again(|| self.try_update_level1(principal, key, update)).await
    }

    async fn try_update_level1(
        &self,
        principal: &Principal,
        key: Key,
        update: &Level1Update,
    ) -> Result<Record<Level1>, Error> {
        let standing = self.standing(principal).await?;
        let before = self.level1_for(&standing, Action::Update, key).await?;
        if update.organization.is_some_and(|organization| organization != before.organization) {
            let reason =
                "you do not have permission to perform this action: a level 1 stays with its organization";
            return Err(Error::Forbidden { reason: reason.to_owned() });
        }
        let mut next = before.clone();
        apply(&mut next.value, update);
        self.check_level1(&standing, before.organization, &before.value, &next.value).await?;
        next.edited_at = self.now();
        let facts = json!({"name": next.value.name});
        let change = Change::Updated(Row::Level1(next));
        self.write(principal, (before.organization, before.id), change, facts).await?;
        self.read_level1(Key::Id(before.id)).await
    }

    /// Removes a level 1 with its levels 2, orders and team.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn delete_level1(&self, principal: &Principal, key: Key) -> Result<(), Error> {
        again(|| async move {
            let standing = self.standing(principal).await?;
            let level = self.level1_for(&standing, Action::Delete, key).await?;
            let change = Change::Deleted { kind: Kind::Level1, id: level.id, version: level.version };
            let facts = json!({"name": level.value.name});
            self.write(principal, (level.organization, level.id), change, facts).await
        })
        .await
    }

    /// Another organization's is forbidden and not missing, as old clients know it.
    async fn level1_for(
        &self,
        standing: &Standing,
        action: Action,
        key: Key,
    ) -> Result<Record<Level1>, Error> {
        let level = self.read_level1(key).await?;
        standing.require(action, level.organization, &level.value.groups)?;
        Ok(level)
    }

    async fn read_level1(&self, key: Key) -> Result<Record<Level1>, Error> {
        self.store.find_level1(key).await?.ok_or_else(|| Error::not_found("workflow level 1", key))
    }

    async fn check_level1(
        &self,
        standing: &Standing,
        organization: OrganizationId,
        before: &Level1,
        next: &Level1,
    ) -> Result<(), Error> {
        let Level1 { name, groups, details } = next;
        let mut input = Input::default();
        input.name("name", name);
        input.short("unique_id", details.unique_id.as_ref());
        input.text("description", details.description.as_ref());
        input.count("user_access", details.user_access.len(), USERS_MAX);
        input.count("core_groups", groups.len(), GROUPS_MAX);
        input.done()?;
        if details.user_access != before.details.user_access {
            self.require_members(organization, "user_access", &details.user_access).await?;
        }
        if *groups != before.groups {
            self.require_attachable(standing, organization, (&before.groups, groups)).await?;
        }
        match &details.template {
            Some(template) if details.template != before.details.template => {
                self.require_published(organization, template).await
            }
            _ => Ok(()),
        }
    }

    /// Runs are made of templates that are published.
    async fn require_published(&self, organization: OrganizationId, template: &str) -> Result<(), Error> {
        match self.workflow.parts.store.find_template(organization, template, None).await? {
            Some(_) => Ok(()),
            None => Err(Error::field(
                "template",
                format!("There is no published template `{template}`; publish it first."),
            )),
        }
    }
}

fn apply(level: &mut Level1, update: &Level1Update) {
    if let Some(name) = &update.name {
        name.trim().clone_into(&mut level.name);
    }
    set(&mut level.groups, update.groups.as_ref());
    let details = &mut level.details;
    set(&mut details.unique_id, update.unique_id.as_ref());
    set(&mut details.description, update.description.as_ref());
    set(&mut details.start_date, update.start_date.as_ref());
    set(&mut details.end_date, update.end_date.as_ref());
    set(&mut details.sort, update.sort.as_ref());
    set(&mut details.user_access, update.user_access.as_ref());
    set(&mut details.template, update.template.as_ref());
}
