//! The rows.

use buildly_model::{GroupId, LevelRowId, OrganizationId, RunId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Status;

/// A row, with what all of them have.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<T, O = OrganizationId> {
    /// Its id.
    pub id: LevelRowId,
    /// Its positive integer id on the old wire; 0 until the storage has given one.
    pub number: i64,
    /// Whose it is.
    pub organization: O,
    /// Counts changes, so that none is lost.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub edited_at: Timestamp,
    /// What it is.
    pub value: T,
}

/// A row of an organization, or (`None`) one that every organization may use.
pub type Shared<T> = Record<T, Option<OrganizationId>>;

/// Something like a project.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Level1 {
    /// What people call it.
    pub name: String,
    /// The groups attached to it: only these give rights on it, if there are any.
    pub groups: Vec<GroupId>,
    /// The rest.
    pub details: Level1Details,
}

/// What nobody looks a level 1 up by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Level1Details {
    /// What other systems call it.
    pub unique_id: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// When it begins.
    pub start_date: Option<Timestamp>,
    /// When it ends.
    pub end_date: Option<Timestamp>,
    /// Where front ends show it.
    pub sort: i64,
    /// Who works with it; gives no rights.
    pub user_access: Vec<UserId>,
    /// The template of which each new level 2 starts a run.
    pub template: Option<String>,
}

/// The level 1 that a row belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Over {
    /// Its id.
    pub id: LevelRowId,
    /// Its integer id.
    pub number: i64,
    /// The groups attached to it.
    pub groups: Vec<GroupId>,
}

impl From<&Record<Level1>> for Over {
    fn from(level: &Record<Level1>) -> Self {
        Self { id: level.id, number: level.number, groups: level.value.groups.clone() }
    }
}

/// A piece of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Level2 {
    /// What people call it.
    pub name: String,
    /// What it belongs to.
    pub level1: Over,
    /// The groups attached to it; if there are none, those of its level 1 count.
    pub groups: Vec<GroupId>,
    /// The level 2 that it is a part of.
    pub parent: Option<LevelRowId>,
    /// Its type.
    pub kind: Option<LevelRowId>,
    /// Its status.
    pub status: Option<LevelRowId>,
    /// The run that it started, and how that stands.
    pub run: Option<(RunId, Status)>,
    /// The rest.
    pub details: Level2Details,
}

impl Level2 {
    /// The groups that give rights on it.
    pub(super) fn attached(&self) -> &[GroupId] {
        if self.groups.is_empty() { &self.level1.groups } else { &self.groups }
    }
}

/// What nobody looks a level 2 up by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Level2Details {
    /// Free text.
    pub description: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// A shorter name.
    pub short_name: Option<String>,
    /// When it begins.
    pub start_date: Option<Timestamp>,
    /// When it ends.
    pub end_date: Option<Timestamp>,
    /// Who made it, if that was a person.
    pub created_by: Option<UserId>,
    /// What an old client keeps here in place of a parent; means nothing to us.
    pub parent_number: i64,
}

/// A type of level 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelType {
    /// What people call it.
    pub name: String,
}

/// A status of level 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelStatus {
    /// Where lists show it.
    pub order: i64,
    /// What people call it.
    pub name: String,
    /// A shorter name, unique among those that an organization may use.
    pub short_name: String,
}

/// How the level 2 of a level 1 are arranged.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Of which level 1.
    pub level1: Over,
    /// The level 2 whose parts are arranged.
    pub parent: Option<LevelRowId>,
    /// The rest.
    pub details: OrderDetails,
}

/// What nobody looks an order up by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderDetails {
    /// A level 2, as the client says it.
    pub level2: Option<LevelRowId>,
    /// The arrangement, as the client keeps it.
    pub sort_array: Value,
}

/// Somebody's place in the team of a level 1; gives no rights.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamPlace {
    /// Of which level 1.
    pub level1: Over,
    /// The rest.
    pub details: TeamDetails,
}

/// What nobody looks a place in a team up by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamDetails {
    /// Who.
    pub user: Option<UserId>,
    /// As what.
    pub role: Option<GroupId>,
    /// From when.
    pub start_date: Option<Timestamp>,
    /// Until when.
    pub end_date: Option<Timestamp>,
    /// A word of the client's.
    pub status: Option<String>,
}

/// A row of any kind, for the storages.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A level 1.
    Level1(Record<Level1>),
    /// A level 2.
    Level2(Record<Level2>),
    /// A type.
    Type(Shared<LevelType>),
    /// A status.
    Status(Shared<LevelStatus>),
    /// An order.
    Order(Record<Order>),
    /// A place in a team.
    Team(Record<TeamPlace>),
}

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Level 1.
    Level1,
    /// Level 2.
    Level2,
    /// Types.
    Type,
    /// Statuses.
    Status,
    /// Orders.
    Order,
    /// Places in teams.
    Team,
}

impl Row {
    /// Which kind it is of.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Level1(_) => Kind::Level1,
            Self::Level2(_) => Kind::Level2,
            Self::Type(_) => Kind::Type,
            Self::Status(_) => Kind::Status,
            Self::Order(_) => Kind::Order,
            Self::Team(_) => Kind::Team,
        }
    }
}

impl Kind {
    /// What several of them are called.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Level1 => "workflow levels 1",
            Self::Level2 => "workflow levels 2",
            Self::Type => "level types",
            Self::Status => "level statuses",
            Self::Order => "orders",
            Self::Team => "places in teams",
        }
    }

    /// How many an organization may have.
    pub(super) const fn rows_max(self) -> u64 {
        match self {
            Self::Level1 => 10_000,
            Self::Level2 => 100_000,
            Self::Type | Self::Status => 1_000,
            Self::Order | Self::Team => 20_000,
        }
    }
}
