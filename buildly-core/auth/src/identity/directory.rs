//! Small resources beside organizations: their types, consortia of them, partners.

use buildly_model::{OrganizationId, Timestamp};
use uuid::Uuid;

/// A kind of organization, such as `Producer`; shared by the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationType {
    /// Its positive integer id; 0 until the storage has given one.
    pub number: i64,
    /// Unique, compared without case.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub edited_at: Timestamp,
}

/// Organizations that work together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consortium {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Who is in it.
    pub organizations: Vec<OrganizationId>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub edited_at: Timestamp,
}

/// Somebody outside with whom the organizations of the deployment work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
}
