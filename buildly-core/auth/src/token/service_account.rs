//! Accounts for scripts, signed in by API keys.

use buildly_model::{GroupId, OrganizationId, ServiceAccountId, Timestamp, TokenId};

use super::SecretHash;

/// An account for scripts in one organization; its rights are those of its groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id.
    pub id: ServiceAccountId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether its keys work.
    pub is_active: bool,
    /// Its groups, in ascending order.
    pub groups: Vec<GroupId>,
    /// Its keys, in ascending order of id.
    pub keys: Vec<ApiKey>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ServiceAccount {
    /// Whether what people change of it is the same in both: all but the keys.
    #[must_use]
    pub fn is_as_in(&self, other: &Self) -> bool {
        (&self.name, &self.description, self.is_active, &self.groups)
            == (&other.name, &other.description, other.is_active, &other.groups)
    }
}

/// One API key of a service account. The secret itself is shown once and not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id; it is part of the key's text.
    pub id: TokenId,
    /// What people call it.
    pub name: String,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// About when it was last used, to a few minutes; `None` for never.
    pub last_used_at: Option<Timestamp>,
}
