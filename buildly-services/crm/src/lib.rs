//! CRM: companies, the people there, notes about both, and leads in a pipeline.
//!
//! What is kept is declared, `buildly-kit` does the rest; only the summary of the pipeline is
//! an operation of its own.

mod lead;
mod stage;
mod summary;

use buildly_kit::{Declaration, FieldError, OnDelete, Record, RecordType};
use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use lead::Lead;
pub use stage::{Stage, StageKind};

/// A company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Company {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Its web site.
    #[schema(format = "uri", max_length = 500)]
    pub website: Option<String>,
    /// Telephone number.
    #[schema(max_length = 50)]
    pub phone: Option<String>,
    /// Street and number.
    #[schema(max_length = 200)]
    pub address: Option<String>,
    /// Town.
    #[schema(max_length = 100)]
    pub city: Option<String>,
    /// State, province or region.
    #[schema(max_length = 100)]
    pub state: Option<String>,
    /// Postal code.
    #[schema(max_length = 20)]
    pub postal_code: Option<String>,
    /// Country.
    #[schema(max_length = 100)]
    pub country: Option<String>,
}

impl Record for Company {
    fn record_type() -> RecordType {
        RecordType::new("company", "companies")
            .filterable(&["name", "country"])
            .sortable(&["name", "country"])
            .searchable(&["name", "city", "country"])
            .ordered_by(&["name"])
    }
}

/// A person who is dealt with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// Full name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// E-mail address; no two contacts have the same.
    #[schema(format = "email", max_length = 254)]
    pub email: Option<String>,
    /// Telephone number.
    #[schema(max_length = 50)]
    pub phone: Option<String>,
    /// What the person does at the company.
    #[schema(max_length = 100)]
    pub position: Option<String>,
    /// The company that the person is with.
    pub company: Option<Uuid>,
    /// Street and number.
    #[schema(max_length = 200)]
    pub address: Option<String>,
    /// Town.
    #[schema(max_length = 100)]
    pub city: Option<String>,
    /// State, province or region.
    #[schema(max_length = 100)]
    pub state: Option<String>,
    /// Postal code.
    #[schema(max_length = 20)]
    pub postal_code: Option<String>,
    /// Country.
    #[schema(max_length = 100)]
    pub country: Option<String>,
}

impl Record for Contact {
    fn record_type() -> RecordType {
        RecordType::new("contact", "contacts")
            .unique(&["email"])
            .filterable(&["name", "email", "country"])
            .sortable(&["name", "email", "country"])
            .searchable(&["name", "email", "city", "country"])
            .reference("company", "company", OnDelete::Clear)
            .ordered_by(&["name"])
    }
}

/// Something said or seen, about a contact, a company or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Note {
    /// What it is about.
    #[schema(min_length = 1, max_length = 200)]
    pub subject: String,
    /// The note itself.
    #[schema(max_length = 50000)]
    pub text: Option<String>,
    /// Who wrote it.
    #[schema(max_length = 200)]
    pub author: Option<String>,
    /// The contact that it is about; it goes when the contact goes.
    pub contact: Option<Uuid>,
    /// The company that it is about; it goes when the company goes.
    pub company: Option<Uuid>,
}

impl Record for Note {
    fn record_type() -> RecordType {
        RecordType::new("note", "notes")
            .filterable(&["author"])
            .searchable(&["subject", "text"])
            .reference("contact", "contact", OnDelete::Delete)
            .reference("company", "company", OnDelete::Delete)
    }

    fn check(&self) -> Vec<FieldError> {
        if self.contact.is_none() && self.company.is_none() {
            return vec![FieldError::new("contact", "A note is about a contact, a company or both.")];
        }
        Vec::new()
    }
}

/// The service.
///
/// ```
/// let document = buildly_crm::declaration().openapi().unwrap();
/// assert!(document["paths"]["/contacts/"].is_object());
/// ```
#[must_use]
pub fn declaration() -> Declaration {
    Declaration::new("crm", "CRM", "Companies, the people there, notes about both, and leads in a pipeline.")
        .record::<Company>()
        .record::<Contact>()
        .record::<Note>()
        .record::<Stage>()
        .record::<Lead>()
        .operation(Method::GET, "/leads/summary/", summary::document(), summary::Summary)
}
