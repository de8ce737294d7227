//! What is known about documents and their versions.

use std::collections::BTreeMap;

use buildly_kit::{OnDelete, Record, RecordType};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A document; its content is in its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Document {
    /// What it is called.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// What is in it.
    #[schema(max_length = 5000)]
    pub description: Option<String>,
    /// Which sort of document it is, such as `invoice`.
    #[schema(max_length = 50)]
    pub category: Option<String>,
    /// The number or name by which the outside knows it, such as an invoice number.
    #[schema(max_length = 100)]
    pub reference: Option<String>,
    /// The date on it.
    #[schema(format = "date", max_length = 10)]
    pub dated: Option<String>,
    /// Anything else that is known about it, by name.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// The folder that it is in; none at the top.
    pub folder: Option<Uuid>,
    /// Whose it is: who made it, if nobody else is named.
    pub owner: Option<Uuid>,
    /// Whether only its owner, readers and writers may see it; else whoever may see its folder,
    /// and at the top the whole organization.
    #[serde(default)]
    #[schema(default = false)]
    pub restricted: bool,
    /// Users who may see it, at most 200.
    #[serde(default)]
    #[schema(default = json!([]))]
    pub readers: Vec<Uuid>,
    /// Users who may see and change it, at most 200.
    #[serde(default)]
    #[schema(default = json!([]))]
    pub writers: Vec<Uuid>,
}

impl Record for Document {
    fn record_type() -> RecordType {
        RecordType::new("document", "documents")
            .filterable(&["category", "reference", "dated", "owner"])
            .reference("folder", "folder", OnDelete::Refuse)
            .inherits("folder")
            .restrictable()
            .sortable(&["title", "dated", "reference"])
            .searchable(&["title", "description", "reference"])
    }
}

/// One version of a document's content; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// The document.
    pub document: Uuid,
    /// Its number: 1, 2, 3, …
    pub number: i64,
    /// What sort of bytes they are.
    #[schema(max_length = 200)]
    pub media_type: String,
    /// How many.
    pub bytes: i64,
    /// Their SHA-256, in hexadecimal.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: String,
}

impl Record for Version {
    fn record_type() -> RecordType {
        RecordType::new("version", "versions")
            .unique(&["document", "number"])
            .filterable(&["sha256", "number"])
            .sortable(&["number"])
            .reference("document", "document", OnDelete::Delete)
            .inherits("document")
            .read_only()
    }
}
