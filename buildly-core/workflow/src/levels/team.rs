//! Teams: who belongs to a level 1, as front ends keep it. It gives no rights.

use buildly_model::{Action, GroupId, OrganizationId, Place, Principal, Timestamp, UserId};
use serde_json::json;

use super::{
    Change, Input, Key, Kind, Levels, Listed, Over, Record, Row, Standing, TeamDetails, TeamPlace, again,
    listed, set,
};
use crate::Error;

/// What changes of a place in a team, or what a new one is; `None` stays, or is as usual.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TeamUpdate {
    /// Of which level 1; needed for a new one.
    pub level1: Option<Key>,
    /// Who.
    pub user: Option<Option<UserId>>,
    /// As what.
    pub role: Option<Option<GroupId>>,
    /// From when.
    pub start_date: Option<Option<Timestamp>>,
    /// Until when.
    pub end_date: Option<Option<Timestamp>>,
    /// A word of the client's.
    pub status: Option<Option<String>>,
}

impl Levels {
    /// The places in teams that the caller sees, after a number.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Forbidden`] if the caller belongs nowhere.
    pub async fn team_places(
        &self,
        principal: &Principal,
        after: Option<i64>,
        rows_max: u32,
    ) -> Result<Listed<Record<TeamPlace>>, Error> {
        let seen = self.standing(principal).await?.seen()?;
        let rows = self.store.team_places(&seen, after, rows_max.saturating_add(1)).await?;
        Ok(listed(rows, rows_max, |last| Place { name: String::new(), number: last.number }))
    }

    /// A place in a team.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] if the caller may not look at its level 1.
    pub async fn team_place(&self, principal: &Principal, key: Key) -> Result<Record<TeamPlace>, Error> {
        let standing = self.standing(principal).await?;
        self.team_place_for(&standing, Action::Read, key).await
    }

    /// Puts somebody into a team.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may create things in its level 1;
    /// [`Error::Invalid`]; [`Error::Conflict`] if there are too many.
    pub async fn create_team_place(
        &self,
        principal: &Principal,
        update: &TeamUpdate,
    ) -> Result<Record<TeamPlace>, Error> {
        let standing = self.standing(principal).await?;
        let key = update.level1.ok_or_else(|| Error::field("workflowlevel1", "This field is required."))?;
        let level1 = self.over(&standing, key).await?;
        standing.require(Action::Create, level1.organization, &level1.value.groups)?;
        let mut team = TeamPlace { level1: Over::from(&level1), details: TeamDetails::default() };
        apply(&mut team.details, update);
        self.check_team_place(level1.organization, &TeamDetails::default(), &team.details).await?;
        self.require_room(Kind::Team, Some(level1.organization)).await?;
        let record = self.new_record(level1.organization, team);
        let (organization, id) = (record.organization, record.id);
        let facts = json!({"user": record.value.details.user});
        self.write(principal, (organization, id), Change::Created(Row::Team(record)), facts).await?;
        self.read_team_place(Key::Id(id)).await
    }

    /// Changes a place in a team.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn update_team_place(
        &self,
        principal: &Principal,
        key: Key,
        update: &TeamUpdate,
    ) -> Result<Record<TeamPlace>, Error> {
        again(|| async move {
            let standing = self.standing(principal).await?;
            let before = self.team_place_for(&standing, Action::Update, key).await?;
            let mut next = before.clone();
            if let Some(over) = update.level1 {
                let from = &before.value.level1;
                let place = (before.organization, from.id, from.groups.as_slice());
                next.value.level1 = self.carried(&standing, place, over).await?;
            }
            apply(&mut next.value.details, update);
            let (organization, id) = (before.organization, before.id);
            self.check_team_place(organization, &before.value.details, &next.value.details).await?;
            next.edited_at = self.now();
            let facts = json!({"user": next.value.details.user});
            self.write(principal, (organization, id), Change::Updated(Row::Team(next)), facts).await?;
            self.read_team_place(Key::Id(id)).await
        })
        .await
    }

    /// Takes somebody out of a team.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn delete_team_place(&self, principal: &Principal, key: Key) -> Result<(), Error> {
        again(|| async move {
            let standing = self.standing(principal).await?;
            let place = self.team_place_for(&standing, Action::Delete, key).await?;
            let change = Change::Deleted { kind: Kind::Team, id: place.id, version: place.version };
            let facts = json!({"user": place.value.details.user});
            self.write(principal, (place.organization, place.id), change, facts).await
        })
        .await
    }

    async fn team_place_for(
        &self,
        standing: &Standing,
        action: Action,
        key: Key,
    ) -> Result<Record<TeamPlace>, Error> {
        let place = self.read_team_place(key).await?;
        if standing.is_stranger(place.organization) {
            return Err(Error::not_found("place in a team", key));
        }
        standing.require(action, place.organization, &place.value.level1.groups)?;
        Ok(place)
    }

    async fn read_team_place(&self, key: Key) -> Result<Record<TeamPlace>, Error> {
        self.store.find_team_place(key).await?.ok_or_else(|| Error::not_found("place in a team", key))
    }

    async fn check_team_place(
        &self,
        organization: OrganizationId,
        before: &TeamDetails,
        next: &TeamDetails,
    ) -> Result<(), Error> {
        let mut input = Input::default();
        input.short("status", next.status.as_ref());
        input.done()?;
        if let Some(user) = next.user.filter(|_| next.user != before.user) {
            self.require_members(organization, "workflow_user", &[user]).await?;
        }
        if let Some(role) = next.role.filter(|_| next.role != before.role) {
            let known = self.workflow.parts.access.group_actions(organization, &[role]).await?;
            if known.iter().any(Option::is_none) {
                return Err(Error::field("role", format!("Invalid pk \"{role}\" - object does not exist.")));
            }
        }
        Ok(())
    }
}

fn apply(details: &mut TeamDetails, update: &TeamUpdate) {
    set(&mut details.user, update.user.as_ref());
    set(&mut details.role, update.role.as_ref());
    set(&mut details.start_date, update.start_date.as_ref());
    set(&mut details.end_date, update.end_date.as_ref());
    set(&mut details.status, update.status.as_ref());
}
