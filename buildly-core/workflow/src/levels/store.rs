//! What levels read from a storage.

use std::fmt;

use async_trait::async_trait;
use buildly_model::{GroupId, LevelRowId, OrganizationId, Place, StoreError, Timestamp};

use super::{
    Counted, Kind, Level1, Level2, LevelStatus, LevelType, Order, Record, Seen, Shared, TeamPlace, Window,
};

/// How a caller names a row: by id, or by its number on the old wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// By id.
    Id(LevelRowId),
    /// By number.
    Number(i64),
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(formatter),
            Self::Number(number) => number.fmt(formatter),
        }
    }
}

/// Which level 1 to list; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level1Filter {
    /// Only of this name.
    pub name: Option<String>,
    /// Only this one.
    pub id: Option<LevelRowId>,
}

/// Which level 2 to list; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level2Filter {
    /// Only in a level 1 of this name.
    pub level1_name: Option<String>,
    /// Only in the level 1 of this number.
    pub level1_number: Option<i64>,
    /// Only created then or later.
    pub created_from: Option<Timestamp>,
    /// Only created then or earlier.
    pub created_to: Option<Timestamp>,
    /// Only of a status of this short name.
    pub status_short_name: Option<String>,
    /// Only of this status.
    pub status: Option<LevelRowId>,
}

/// Reads rows. Those of one organization are asked for by [`Seen`]; what is found by its key is
/// judged by whoever asked. Lists of levels 1 and types are ordered by name and number, of
/// levels 2 likewise, of statuses by their order, of orders and teams by number.
#[async_trait]
pub trait Store: Send + Sync {
    /// A level 1.
    async fn find_level1(&self, key: Key) -> Result<Option<Record<Level1>>, StoreError>;
    /// Levels 1 after a place, at most `rows_max`.
    async fn level1s(
        &self,
        seen: &Seen,
        filter: &Level1Filter,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Record<Level1>>, StoreError>;

    /// A level 2.
    async fn find_level2(&self, id: LevelRowId) -> Result<Option<Record<Level2>>, StoreError>;
    /// A part of the list of levels 2.
    async fn level2s(
        &self,
        seen: &Seen,
        filter: &Level2Filter,
        window: Window,
    ) -> Result<Counted<Record<Level2>>, StoreError>;

    /// A type.
    async fn find_level_type(&self, id: LevelRowId) -> Result<Option<Shared<LevelType>>, StoreError>;
    /// Types that an organization may use (`None`: all) after a place, at most `rows_max`.
    async fn level_types(
        &self,
        organization: Option<OrganizationId>,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Shared<LevelType>>, StoreError>;

    /// A status.
    async fn find_level_status(&self, id: LevelRowId) -> Result<Option<Shared<LevelStatus>>, StoreError>;
    /// A part of the list of statuses that an organization may use (`None`: all); only the one
    /// of a short name, if that is said.
    async fn level_statuses(
        &self,
        organization: Option<OrganizationId>,
        short_name: Option<&str>,
        window: Window,
    ) -> Result<Counted<Shared<LevelStatus>>, StoreError>;

    /// An order.
    async fn find_order(&self, key: Key) -> Result<Option<Record<Order>>, StoreError>;
    /// Orders after a number, at most `rows_max`.
    async fn orders(
        &self,
        seen: &Seen,
        after: Option<i64>,
        rows_max: u32,
    ) -> Result<Vec<Record<Order>>, StoreError>;

    /// A place in a team.
    async fn find_team_place(&self, key: Key) -> Result<Option<Record<TeamPlace>>, StoreError>;
    /// Places in teams after a number, at most `rows_max`.
    async fn team_places(
        &self,
        seen: &Seen,
        after: Option<i64>,
        rows_max: u32,
    ) -> Result<Vec<Record<TeamPlace>>, StoreError>;

    /// How many rows of a kind an organization has; `None`: those of the deployment.
    async fn levels_count(&self, kind: Kind, organization: Option<OrganizationId>)
    -> Result<u64, StoreError>;

    /// The levels of one organization (`None`: of all) that these groups are attached to, at
    /// most `rows_max` of each kind, in the order they were made.
    async fn levels_of_groups(
        &self,
        organization: Option<OrganizationId>,
        groups: &[GroupId],
        rows_max: u32,
    ) -> Result<LevelsOfGroups, StoreError>;
}

/// What groups are attached to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LevelsOfGroups {
    /// Groups and numbers of levels 1.
    pub level1s: Vec<(GroupId, i64)>,
    /// Groups and ids of levels 2.
    pub level2s: Vec<(GroupId, LevelRowId)>,
}
