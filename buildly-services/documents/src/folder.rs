//! Folders, in each other.

use buildly_kit::{Record, RecordType};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A folder of documents and of other folders. What is in it is listed by
/// `/folders/?parent=ID` and `/documents/?folder=ID`, what is at the top by
/// `/folders/?parent__isnull=true` and `/documents/?folder__isnull=true`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Folder {
    /// What it is called; no two folders in one have the same name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The folder that it is in; none at the top. Changing it moves the folder with all in it.
    pub parent: Option<Uuid>,
    /// Whose it is: who made it, if nobody else is named.
    pub owner: Option<Uuid>,
    /// Whether only its owner, readers and writers may see it and what is in it; else whoever
    /// may see the folder that it is in, and at the top the whole organization.
    #[serde(default)]
    #[schema(default = false)]
    pub restricted: bool,
    /// Users who may see it and what is in it, at most 200.
    #[serde(default)]
    #[schema(default = json!([]))]
    pub readers: Vec<Uuid>,
    /// Users who may see and change it and what is in it, at most 200.
    #[serde(default)]
    #[schema(default = json!([]))]
    pub writers: Vec<Uuid>,
}

impl Record for Folder {
    fn record_type() -> RecordType {
        RecordType::new("folder", "folders")
            .tree("parent")
            .inherits("parent")
            .restrictable()
            .unique_with_missing(&["parent", "name"])
            .filterable(&["name", "owner"])
            .sortable(&["name"])
            .searchable(&["name"])
            .ordered_by(&["name"])
    }
}
