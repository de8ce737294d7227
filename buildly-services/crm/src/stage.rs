//! The stages of an organization's pipeline.

use buildly_kit::{Record, RecordType};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What it means that a lead is in a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StageKind {
    /// It is still being worked on.
    #[default]
    Open,
    /// It has been won.
    Won,
    /// It has been lost.
    Lost,
}

/// A stage of the pipeline. Every organization begins with New, Qualified, Proposal, Won and
/// Lost, and changes them as it likes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stage {
    /// What it is called; no two stages have the same name.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Where it is in the pipeline: stages with lower numbers come first.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: i64,
    /// What it means that a lead is in it.
    #[serde(default)]
    pub kind: StageKind,
}

impl Record for Stage {
    fn record_type() -> RecordType {
        RecordType::new("stage", "stages")
            .unique(&["name"])
            .filterable(&["kind"])
            .sortable(&["position", "name"])
            .ordered_by(&["position"])
    }

    /// Positions leave room for stages in between.
    fn beginning() -> Vec<Self> {
        [
            ("New", 10, StageKind::Open),
            ("Qualified", 20, StageKind::Open),
            ("Proposal", 30, StageKind::Open),
            ("Won", 40, StageKind::Won),
            ("Lost", 50, StageKind::Lost),
        ]
        .map(|(name, position, kind)| Self { name: name.to_owned(), position, kind })
        .into()
    }
}
