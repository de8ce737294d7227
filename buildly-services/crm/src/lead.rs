//! A lead: something that may become business.

use buildly_kit::{FieldError, OnDelete, Record, RecordType};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A lead. It moves through the pipeline by changing its `stage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lead {
    /// What it is about.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// The stage of the organization's pipeline that it is in.
    pub stage: Uuid,
    /// The company that it is with.
    pub company: Option<Uuid>,
    /// The contact that it is with.
    pub contact: Option<Uuid>,
    /// What it may bring, in the minor unit of its currency (ISO 4217): cents for `EUR`, yen for `JPY`.
    #[schema(minimum = 0, maximum = 10_000_000_000_000_i64)]
    pub value_minor: Option<i64>,
    /// The currency of the value, such as `EUR`.
    #[schema(min_length = 3, max_length = 3)]
    pub currency: Option<String>,
    /// The user who looks after it.
    pub owner: Option<Uuid>,
    /// The day on which it is expected to be decided.
    #[schema(format = "date", max_length = 10)]
    pub expected_close: Option<String>,
}

impl Record for Lead {
    fn record_type() -> RecordType {
        RecordType::new("lead", "leads")
            .reference("stage", "stage", OnDelete::Refuse)
            .reference("company", "company", OnDelete::Clear)
            .reference("contact", "contact", OnDelete::Clear)
            .filterable(&["owner", "currency", "value_minor", "expected_close"])
            .sortable(&["title", "value_minor", "expected_close"])
            .searchable(&["title"])
    }

    fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.value_minor.is_some() && self.currency.is_none() {
            errors.push(FieldError::new("currency", "A value has a currency, such as `EUR`."));
        }
        let is_code = |code: &String| code.bytes().all(|letter| letter.is_ascii_uppercase());
        if let Some(code) = self.currency.as_ref().filter(|code| !is_code(code)) {
            let message =
                format!("Expected the three capital letters of a currency such as `EUR`; this is `{code}`.");
            errors.push(FieldError::new("currency", message));
        }
        errors
    }
}
