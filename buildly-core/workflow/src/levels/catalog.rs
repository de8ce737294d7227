//! Types and statuses. Administrators of an organization keep its own; what an administrator
//! of the deployment makes is for every organization.

use buildly_model::{LevelRowId, OrganizationId, Place, Principal};
use serde_json::json;

use super::{
    Change, Counted, Input, Kind, LevelStatus, LevelType, Levels, Listed, Row, Shared, Standing, Window,
    again, listed, set,
};
use crate::Error;

/// What changes of a status, or what a new one is; `None` stays, or is as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusUpdate {
    /// What people call it; needed for a new one.
    pub name: Option<String>,
    /// A shorter name; needed for a new one.
    pub short_name: Option<String>,
    /// Where lists show it.
    pub order: Option<i64>,
}

impl Levels {
    /// The types that the caller may use, by name, after a place.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Forbidden`] if the caller belongs nowhere.
    pub async fn level_types(
        &self,
        principal: &Principal,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Listed<Shared<LevelType>>, Error> {
        let scope = self.standing(principal).await?.seen()?.organization;
        let rows = self.store.level_types(scope, after, rows_max.saturating_add(1)).await?;
        Ok(listed(rows, rows_max, |last| Place { name: last.value.name.clone(), number: last.number }))
    }

    /// A type.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn level_type(
        &self,
        principal: &Principal,
        id: LevelRowId,
    ) -> Result<Shared<LevelType>, Error> {
        let standing = self.standing(principal).await?;
        usable(self.read_level_type(id).await?, &standing, "level type")
    }

    /// Makes a type.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an administrator; [`Error::Invalid`].
    pub async fn create_level_type(
        &self,
        principal: &Principal,
        name: &str,
    ) -> Result<Shared<LevelType>, Error> {
        let organization = self.keeper(principal).await?;
        let kind = LevelType { name: name.trim().to_owned() };
        check_name(&kind.name)?;
        self.require_room(Kind::Type, organization).await?;
        let record = self.new_record(organization, kind);
        let (id, facts) = (record.id, json!({"name": record.value.name}));
        self.write(principal, (organization, id), Change::Created(Row::Type(record)), facts).await?;
        self.read_level_type(id).await
    }

    /// Renames a type.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_level_type(
        &self,
        principal: &Principal,
        id: LevelRowId,
        name: Option<&str>,
    ) -> Result<Shared<LevelType>, Error> {
        again(|| async move {
            let mut next = self.level_type(principal, id).await?;
            self.standing(principal).await?.require_admin(next.organization)?;
            if let Some(name) = name {
                name.trim().clone_into(&mut next.value.name);
            }
            check_name(&next.value.name)?;
            next.edited_at = self.now();
            let (organization, facts) = (next.organization, json!({"name": next.value.name}));
            self.write(principal, (organization, id), Change::Updated(Row::Type(next)), facts).await?;
            self.read_level_type(id).await
        })
        .await
    }

    /// Removes a type; levels 2 of it have none then.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn delete_level_type(&self, principal: &Principal, id: LevelRowId) -> Result<(), Error> {
        again(|| async move {
            let found = self.level_type(principal, id).await?;
            self.standing(principal).await?.require_admin(found.organization)?;
            let change = Change::Deleted { kind: Kind::Type, id, version: found.version };
            let facts = json!({"name": found.value.name});
            self.write(principal, (found.organization, id), change, facts).await
        })
        .await
    }

    /// A part of the list of the statuses that the caller may use.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Forbidden`] if the caller belongs nowhere.
    pub async fn level_statuses(
        &self,
        principal: &Principal,
        window: Window,
    ) -> Result<Counted<Shared<LevelStatus>>, Error> {
        let scope = self.standing(principal).await?.seen()?.organization;
        Ok(self.store.level_statuses(scope, None, window).await?)
    }

    /// A status.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn level_status(
        &self,
        principal: &Principal,
        id: LevelRowId,
    ) -> Result<Shared<LevelStatus>, Error> {
        let standing = self.standing(principal).await?;
        usable(self.read_level_status(id).await?, &standing, "level status")
    }

    /// Makes a status.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an administrator; [`Error::Invalid`].
    pub async fn create_level_status(
        &self,
        principal: &Principal,
        update: &StatusUpdate,
    ) -> Result<Shared<LevelStatus>, Error> {
        let organization = self.keeper(principal).await?;
        let mut status = LevelStatus { order: 0, name: String::new(), short_name: String::new() };
        apply(&mut status, update);
        self.check_status(organization, None, &status).await?;
        self.require_room(Kind::Status, organization).await?;
        let record = self.new_record(organization, status);
        let (id, facts) = (record.id, json!({"name": record.value.name}));
        self.write(principal, (organization, id), Change::Created(Row::Status(record)), facts).await?;
        self.read_level_status(id).await
    }

    /// Changes a status.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_level_status(
        &self,
        principal: &Principal,
        id: LevelRowId,
        update: &StatusUpdate,
    ) -> Result<Shared<LevelStatus>, Error> {
        again(|| async move {
            let mut next = self.level_status(principal, id).await?;
            self.standing(principal).await?.require_admin(next.organization)?;
            apply(&mut next.value, update);
            self.check_status(next.organization, Some(id), &next.value).await?;
            next.edited_at = self.now();
            let (organization, facts) = (next.organization, json!({"name": next.value.name}));
            self.write(principal, (organization, id), Change::Updated(Row::Status(next)), facts).await?;
            self.read_level_status(id).await
        })
        .await
    }

    /// Removes a status; levels 2 of it have none then.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn delete_level_status(&self, principal: &Principal, id: LevelRowId) -> Result<(), Error> {
        again(|| async move {
            let found = self.level_status(principal, id).await?;
            self.standing(principal).await?.require_admin(found.organization)?;
            let change = Change::Deleted { kind: Kind::Status, id, version: found.version };
            let facts = json!({"name": found.value.name});
            self.write(principal, (found.organization, id), change, facts).await
        })
        .await
    }

    /// For whom the caller makes types and statuses.
    async fn keeper(&self, principal: &Principal) -> Result<Option<OrganizationId>, Error> {
        let standing = self.standing(principal).await?;
        let organization = if standing.is_global_admin { None } else { Some(standing.organization()?) };
        standing.require_admin(organization)?;
        Ok(organization)
    }

    async fn read_level_type(&self, id: LevelRowId) -> Result<Shared<LevelType>, Error> {
        self.store.find_level_type(id).await?.ok_or_else(|| Error::not_found("level type", id))
    }

    async fn read_level_status(&self, id: LevelRowId) -> Result<Shared<LevelStatus>, Error> {
        self.store.find_level_status(id).await?.ok_or_else(|| Error::not_found("level status", id))
    }

    async fn check_status(
        &self,
        organization: Option<OrganizationId>,
        own: Option<LevelRowId>,
        status: &LevelStatus,
    ) -> Result<(), Error> {
        let mut input = Input::default();
        input.name("name", &status.name);
        input.name("short_name", &status.short_name);
        input.done()?;
        let two = Window { offset: 0, rows_max: 2 };
        let called_so = self.store.level_statuses(organization, Some(&status.short_name), two).await?;
        let is_other = |found: &Shared<LevelStatus>| Some(found.id) != own;
        if called_so.rows.iter().any(is_other) { Err(short_name_taken()) } else { Ok(()) }
    }

    /// Whether an organization may use a type.
    pub(super) async fn require_type(
        &self,
        organization: OrganizationId,
        id: LevelRowId,
    ) -> Result<(), Error> {
        let found = self.store.find_level_type(id).await?.map(|found| found.organization);
        require_found("type", organization, id, found)
    }

    /// Whether an organization may use a status.
    pub(super) async fn require_status(
        &self,
        organization: OrganizationId,
        id: LevelRowId,
    ) -> Result<(), Error> {
        let found = self.store.find_level_status(id).await?.map(|found| found.organization);
        require_found("status", organization, id, found)
    }
}

fn require_found(
    field: &str,
    organization: OrganizationId,
    id: LevelRowId,
    found: Option<Option<OrganizationId>>,
) -> Result<(), Error> {
    match found {
        Some(owner) if owner.is_none_or(|owner| owner == organization) => Ok(()),
        _ => Err(Error::field(field, format!("Invalid pk \"{id}\" - object does not exist."))),
    }
}

/// What the caller may use; that of another organization is not there.
fn usable<T>(found: Shared<T>, standing: &Standing, what: &'static str) -> Result<Shared<T>, Error> {
    match found.organization {
        Some(owner) if standing.is_stranger(owner) => Err(Error::not_found(what, found.id)),
        _ => Ok(found),
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let mut input = Input::default();
    input.name("name", name);
    input.done()
}

pub(super) fn short_name_taken() -> Error {
    Error::field("short_name", "Workflow Level Status with this short name already exists.")
}

fn apply(status: &mut LevelStatus, update: &StatusUpdate) {
    set(&mut status.order, update.order.as_ref());
    set(&mut status.name, update.name.as_ref());
    set(&mut status.short_name, update.short_name.as_ref());
}
