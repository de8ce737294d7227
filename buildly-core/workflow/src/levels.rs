//! The levels of Buildly Core 1.2.0: rows that organizations keep about their work.
//!
//! A [`Level1`] is something like a project, a [`Level2`] a piece of work in it, with a
//! [`LevelType`] and a [`LevelStatus`]; an [`Order`] keeps how pieces are arranged, and a
//! [`TeamPlace`] who belongs to a project. A level 1 may name a template: then each new level 2
//! of it starts a run of that template, and is its business key.

mod change;
mod input;
mod row;
mod standing;
mod store;

mod catalog;
mod level1;
mod level2;
mod order;
mod team;

use std::future::Future;
use std::sync::Arc;

use buildly_journal::Part;
use buildly_model::{
    Action, GroupId, LevelRowId, OrganizationId, Place, Principal, StoreError, Timestamp, UserId,
};
use serde_json::Value;

use crate::workflow::ATTEMPTS_MAX;
use crate::{Error, Workflow};
use input::Input;

pub use catalog::StatusUpdate;
pub use change::Change;
pub use level1::Level1Update;
pub use level2::{Level2Update, Parent};
pub use order::OrderUpdate;
pub use row::{
    Kind, Level1, Level1Details, Level2, Level2Details, LevelStatus, LevelType, Order, OrderDetails, Over,
    Record, Row, Shared, TeamDetails, TeamPlace,
};
pub use standing::{Seen, Standing, Through};
pub use store::{Key, Level1Filter, Level2Filter, LevelsOfGroups, Store};
pub use team::TeamUpdate;

/// The most levels of each kind that are listed with groups.
const LEVELS_OF_GROUPS_MAX: u32 = 10_000;

/// The operations on levels; cheap to clone.
#[derive(Clone)]
pub struct Levels {
    workflow: Workflow,
    store: Arc<dyn Store>,
}

/// Rows of a list, and where it goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<Place>,
}

/// Rows of a list whose length is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted<T> {
    /// The rows asked for.
    pub rows: Vec<T>,
    /// How many there are in all.
    pub count: u64,
}

/// Which part of a counted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many rows come before it.
    pub offset: u64,
    /// At most so many.
    pub rows_max: u32,
}

impl Levels {
    /// Connects the operations with what keeps their rows.
    #[must_use]
    pub fn new(workflow: Workflow, store: Arc<dyn Store>) -> Self {
        Self { workflow, store }
    }

    /// The levels that the caller sees and these groups are attached to.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Store`].
    pub async fn of_groups(
        &self,
        principal: &Principal,
        groups: &[GroupId],
    ) -> Result<LevelsOfGroups, Error> {
        let standing = self.standing(principal).await?;
        // Who belongs nowhere sees none, and may ask all the same.
        let Ok(seen) = standing.seen() else { return Ok(LevelsOfGroups::default()) };
        if groups.is_empty() {
            return Ok(LevelsOfGroups::default());
        }
        Ok(self.store.levels_of_groups(seen.organization, groups, LEVELS_OF_GROUPS_MAX).await?)
    }

    async fn standing(&self, principal: &Principal) -> Result<Standing, Error> {
        self.workflow.parts.access.standing(principal).await
    }

    fn now(&self) -> Timestamp {
        self.workflow.parts.clock.now()
    }

    /// A row that is new now.
    fn new_record<T, O>(&self, organization: O, value: T) -> Record<T, O> {
        let now = self.now();
        Record {
            id: LevelRowId::generate(now, &*self.workflow.parts.random),
            number: 0,
            organization,
            version: 1,
            created_at: now,
            edited_at: now,
            value,
        }
    }

    /// Writes a change and the fact of it.
    async fn write(
        &self,
        principal: &Principal,
        (organization, id): (impl Into<Option<OrganizationId>>, LevelRowId),
        change: Change,
        facts: Value,
    ) -> Result<(), Error> {
        let part = self.part(principal, (organization.into(), id), change, facts);
        self.workflow.parts.commits.commit(part).await.map(drop).map_err(taken)
    }

    fn part(
        &self,
        principal: &Principal,
        (organization, id): (Option<OrganizationId>, LevelRowId),
        change: Change,
        facts: Value,
    ) -> Part<crate::Change> {
        let fact = self.workflow.fact(change.fact(), id, facts, principal);
        Part::of(organization, crate::Change::Level(Box::new(change)), fact)
    }

    /// # Errors
    /// [`Error::Conflict`] if the organization has as many of these rows as it may have.
    async fn require_room(&self, kind: Kind, organization: Option<OrganizationId>) -> Result<(), Error> {
        let (count, rows_max) = (self.store.levels_count(kind, organization).await?, kind.rows_max());
        if count < rows_max {
            return Ok(());
        }
        let what = kind.plural();
        Err(Error::Conflict { reason: format!("there are at most {rows_max} {what}; remove some first") })
    }

    /// Whether the caller may attach these groups to a row on which the caller may do what
    /// `attached` lets: they are the organization's, and nobody gives away more than they have.
    async fn require_attachable(
        &self,
        standing: &Standing,
        organization: OrganizationId,
        (attached, next): (&[GroupId], &[GroupId]),
    ) -> Result<(), Error> {
        let actions = self.workflow.parts.access.group_actions(organization, next).await?;
        let mut input = Input::default();
        for (group, actions) in next.iter().zip(&actions) {
            if actions.is_none() {
                input.refuse("core_groups", format!("Invalid pk \"{group}\" - object does not exist."));
            }
        }
        input.done()?;
        let actions: Vec<_> = actions.into_iter().flatten().collect();
        if standing.may_attach(organization, attached, &actions) {
            return Ok(());
        }
        let reason = "only administrators attach groups that may do more than you, or detach all of them";
        Err(Error::Forbidden { reason: reason.to_owned() })
    }

    async fn require_members(
        &self,
        organization: OrganizationId,
        field: &str,
        users: &[UserId],
    ) -> Result<(), Error> {
        let strangers = self.workflow.parts.access.strangers(organization, users).await?;
        let mut input = Input::default();
        for user in strangers {
            input.refuse(field, format!("Invalid pk \"{user}\" - object does not exist."));
        }
        input.done()
    }

    /// The level 1 that a row shall belong to; what the caller may not see is not there.
    async fn over(&self, standing: &Standing, key: Key) -> Result<Record<Level1>, Error> {
        let found = self.store.find_level1(key).await?;
        let is_seen = |level: &Record<Level1>| {
            let actions = standing.actions(level.organization, &level.value.groups);
            actions.contains(Action::Read) || actions.contains(Action::Create)
        };
        found.filter(is_seen).ok_or_else(|| {
            Error::field("workflowlevel1", format!("Invalid pk \"{key}\" - object does not exist."))
        })
    }

    /// The level 1 that a row goes to: who moves it may remove it there and create it here.
    async fn carried(
        &self,
        standing: &Standing,
        (organization, from, attached): (OrganizationId, LevelRowId, &[GroupId]),
        to: Key,
    ) -> Result<Over, Error> {
        let level1 = self.over(standing, to).await?;
        if level1.id == from {
            return Ok(Over::from(&level1));
        }
        if level1.organization != organization {
            return Err(Error::field("workflowlevel1", "This stays with its organization."));
        }
        standing.require(Action::Delete, organization, attached)?;
        standing.require(Action::Create, organization, &level1.value.groups)?;
        Ok(Over::from(&level1))
    }
}

/// Decides anew when the row has moved on meanwhile.
async fn again<T, F>(attempt: impl Fn() -> F + Send + Sync) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>> + Send,
{
    for _ in 1..ATTEMPTS_MAX {
        match attempt().await {
            Err(Error::Store(StoreError::Stale)) => {}
            other => return other,
        }
    }
    attempt().await
}

fn taken(error: StoreError) -> Error {
    match error {
        StoreError::Taken { field: "short_name" } => catalog::short_name_taken(),
        other => other.into(),
    }
}

fn set<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

/// Cuts rows that were asked for with one more than `rows_max`.
fn listed<T>(mut rows: Vec<T>, rows_max: u32, place: impl FnOnce(&T) -> Place) -> Listed<T> {
    let has_more = rows.len() > rows_max as usize;
    rows.truncate(rows_max as usize);
    let next = rows.last().filter(|_| has_more).map(place);
    Listed { rows, next }
}

#[cfg(test)]
mod tests;
