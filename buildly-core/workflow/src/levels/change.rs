//! What can change.

use buildly_model::LevelRowId;

use super::{Kind, Row};

/// What can change. All of it belongs to the organization of the part; of a part without one,
/// only types and statuses.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds a row. `Taken` (`short_name`) if a status of the organization is called so;
    /// `Missing` if the organization has no such level 1, or another row that it names is gone.
    Created(Row),
    /// Replaces what a row is; its version becomes one more. `Stale` if it has another version
    /// than the row says, or is not there.
    Updated(Row),
    /// Removes a row; `Stale` if it has another version. With a level 1 go its levels 2, orders
    /// and team; rows that name a removed one name none then.
    Deleted {
        /// Of which kind.
        kind: Kind,
        /// Which.
        id: LevelRowId,
        /// The version that it must be at.
        version: u64,
    },
}

impl Change {
    /// What the journal calls it.
    pub(super) const fn fact(&self) -> &'static str {
        let (kind, names) = match self {
            Self::Created(row) => (
                row.kind(),
                [
                    "workflow.level1.created",
                    "workflow.level2.created",
                    "workflow.level_type.created",
                    "workflow.level_status.created",
                    "workflow.level_order.created",
                    "workflow.team_place.created",
                ],
            ),
            Self::Updated(row) => (
                row.kind(),
                [
                    "workflow.level1.updated",
                    "workflow.level2.updated",
                    "workflow.level_type.updated",
                    "workflow.level_status.updated",
                    "workflow.level_order.updated",
                    "workflow.team_place.updated",
                ],
            ),
            Self::Deleted { kind, .. } => (
                *kind,
                [
                    "workflow.level1.deleted",
                    "workflow.level2.deleted",
                    "workflow.level_type.deleted",
                    "workflow.level_status.deleted",
                    "workflow.level_order.deleted",
                    "workflow.team_place.deleted",
                ],
            ),
        };
        let [level1, level2, level_type, status, order, team] = names;
        match kind {
            Kind::Level1 => level1,
            Kind::Level2 => level2,
            Kind::Type => level_type,
            Kind::Status => status,
            Kind::Order => order,
            Kind::Team => team,
        }
    }
}
