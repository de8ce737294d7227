//! Who is asking.

use std::fmt;
use std::str::FromStr;
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

/// As the journal writes actors: `user:…`, `service_account:…`, `application:…` or `anonymous`.
impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("anonymous"),
            Self::User(user) => write!(formatter, "user:{user}"),
            Self::ServiceAccount(account) => write!(formatter, "service_account:{account}"),
            Self::Application(application) => write!(formatter, "application:{application}"),
        }
    }
}

/// A text that should name an actor does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `user:`, `service_account:` or `application:` and a UUID, or `anonymous`")]
pub struct ParseIdentityError;

impl FromStr for Identity {
    type Err = ParseIdentityError;

    /// Reads what the journal writes.
    ///
    /// ```
    /// use buildly_model::{Identity, UserId};
    /// let id: UserId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    /// let ada = Identity::User(id);
    /// assert_eq!(ada.to_string().parse(), Ok(ada));
    /// ```
    fn from_str(text: &str) -> Result<Self, ParseIdentityError> {
        if text == "anonymous" {
            return Ok(Self::Anonymous);
        }
        let (kind, id) = text.split_once(':').ok_or(ParseIdentityError)?;
        match kind {
            "user" => id.parse().map(Self::User).map_err(|_| ParseIdentityError),
            "service_account" => id.parse().map(Self::ServiceAccount).map_err(|_| ParseIdentityError),
            "application" => id.parse().map(Self::Application).map_err(|_| ParseIdentityError),
            _ => Err(ParseIdentityError),
        }
    }
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
