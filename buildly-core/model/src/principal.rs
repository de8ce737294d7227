//! Who is asking.

use std::sync::Arc;

use crate::{ApplicationId, OrganizationId, ServiceAccountId, SessionId, Timestamp, TokenId, UserId};

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
    /// What else proved it, to ask later whether it still does.
    pub proof: Proof,
}

/// What a caller's token or API key stood on besides session and time. A stream that stays open
/// for hours is asked again whether all of it still counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Proof {
    /// The name of the key that signed the token.
    pub signing_key: Option<Arc<str>>,
    /// The application that the token was issued to.
    pub application: Option<ApplicationId>,
    /// The version of the user's password that the token was issued for.
    pub credential_version: Option<u64>,
    /// The API key that was shown, or that the token stands for.
    pub api_key: Option<TokenId>,
}

impl Proof {
    /// Nothing was shown.
    pub const NONE: Self =
        Self { signing_key: None, application: None, credential_version: None, api_key: None };
}

impl Principal {
    /// A caller who did not sign in.
    pub const ANONYMOUS: Self = Self {
        identity: Identity::Anonymous,
        organization: None,
        session: None,
        expires_at: None,
        proof: Proof::NONE,
    };

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
