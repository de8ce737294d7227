//! Who is asking.

use crate::{ApplicationId, OrganizationId, ServiceAccountId, SessionId, Timestamp, UserId};

/// Who the caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Nobody is signed in.
    Anonymous,
    /// A person.
    User(UserId),
    /// A script, signed in by an API key.
    ServiceAccount(ServiceAccountId),
    /// An application acting for itself (OAuth `client_credentials`).
    Application(ApplicationId),
}

/// Who is asking, as proven at the border; passed explicitly to every operation.
///
/// It states identity only. Rights are looked up in the snapshot at the moment of the
/// decision, so a principal that is kept for long never outlives its rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who it is.
    pub identity: Identity,
    /// The tenant that the principal belongs to and acts in; `None` for principals of the deployment.
    pub organization: Option<OrganizationId>,
    /// The session whose token proved it.
    pub session: Option<SessionId>,
    /// When that token ends.
    pub expires_at: Option<Timestamp>,
}

impl Principal {
    /// A caller who did not sign in.
    pub const ANONYMOUS: Self =
        Self { identity: Identity::Anonymous, organization: None, session: None, expires_at: None };

    /// The user, if it is one.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.identity {
            Identity::User(user) => Some(user),
            Identity::Anonymous | Identity::ServiceAccount(_) | Identity::Application(_) => None,
        }
    }

    /// Whether somebody is signed in.
    #[must_use]
    pub const fn is_signed_in(&self) -> bool {
        !matches!(self.identity, Identity::Anonymous)
    }
}
