//! OAuth client applications (RFC 6749 section 2).

use buildly_model::{ApplicationId, Timestamp, UserId};

use super::SecretHash;

/// Whether an application can keep a secret (RFC 6749 section 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientType {
    /// A browser or mobile application: it is named, not proven.
    Public,
    /// A program on a server: it proves itself with its secret.
    Confidential,
}

impl ClientType {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Confidential => "confidential",
        }
    }

    /// Reads the word on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Public, Self::Confidential].into_iter().find(|kind| kind.name() == name)
    }
}

/// How an application obtains tokens; any of them may also refresh what it obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplicationGrant {
    /// With the name and password of its user.
    Password,
    /// For itself.
    ClientCredentials,
    /// By the user's consent in a browser, with proof of possession (RFC 7636).
    AuthorizationCode,
}

impl ApplicationGrant {
    /// The word on the wire of `/oauth/applications/`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::ClientCredentials => "client-credentials",
            Self::AuthorizationCode => "authorization-code",
        }
    }

    /// Reads the word on the wire of `/oauth/applications/`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Password, Self::ClientCredentials, Self::AuthorizationCode]
            .into_iter()
            .find(|grant| grant.name() == name)
    }
}

/// A registered client application; it belongs to the deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// The integer that the old wire calls `id`; 0 until the storage has given one.
    pub number: i64,
    /// The name it presents itself with.
    pub client_id: String,
    /// The hash of its secret; `None` for a public one.
    pub secret: Option<SecretHash>,
    /// What people call it.
    pub name: String,
    /// Whether it can keep a secret.
    pub client_type: ClientType,
    /// How it obtains tokens.
    pub grant: ApplicationGrant,
    /// Where the browser may be sent back to, space-separated.
    pub redirect_uris: String,
    /// Who registered it.
    pub user: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
}
