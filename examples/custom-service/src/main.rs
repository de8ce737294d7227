//! A service of your own, in one file: the inventory of a shop.
//!
//! ```sh
//! cargo run -p example-custom-service -- --listen 127.0.0.1:9000 \
//!     --jwks http://127.0.0.1:8080/.well-known/jwks.json
//! ```
//!
//! Then register it with `buildly service register`, and it is at `/inventory/items/`.

use std::process::ExitCode;

use buildly_kit::{Declaration, FieldError, Record, RecordType, command};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A thing on a shelf.
#[derive(Serialize, Deserialize, ToSchema)]
struct Item {
    /// What it is called.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The number on its label.
    #[schema(max_length = 40)]
    sku: String,
    /// How many there are.
    #[schema(minimum = 0)]
    #[serde(default)]
    quantity: i64,
    /// From how few on it is ordered again.
    #[schema(minimum = 0)]
    reorder_below: Option<i64>,
}

impl Record for Item {
    fn record_type() -> RecordType {
        RecordType::new("item", "items")
            .unique(&["sku"])
            .filterable(&["sku", "quantity"])
            .sortable(&["name", "quantity"])
            .searchable(&["name", "sku"])
    }

    fn check(&self) -> Vec<FieldError> {
        if self.sku.contains(' ') {
            return vec![FieldError::new("sku", "Expected a label number without spaces.")];
        }
        Vec::new()
    }
}

fn main() -> ExitCode {
    command::main(|_| Declaration::new("inventory", "Inventory", "What is on the shelves.").record::<Item>())
}
