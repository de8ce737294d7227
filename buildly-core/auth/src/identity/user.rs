//! A person's account.

use std::fmt;

use buildly_model::{GroupId, OrganizationId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a caller names a user: by id, or by the number of the old wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKey {
    /// By id.
    Id(UserId),
    /// By number.
    Number(i64),
}

/// A user as stored, without the password's hash.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its positive integer id on the old wire; 0 until the storage has given one.
    pub number: i64,
    /// Where the user belongs; `None` for users of the deployment.
    pub organization: Option<OrganizationId>,
    /// Unique in the deployment, compared without case.
    pub username: String,
    /// The address for mail; several users may share one.
    pub email: String,
    /// Whether whoever registered has shown that the address is theirs.
    pub email_verified: bool,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// Whether the user may do everything in the whole deployment.
    pub is_superuser: bool,
    /// Counts password changes: what was proven with an older one no longer counts.
    pub credential_version: u64,
    /// What the user says about themself.
    pub profile: Profile,
    /// The groups that the user is a member of.
    pub groups: Vec<GroupId>,
    /// Counts changes of this row, so that none is lost.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub edited_at: Timestamp,
}

impl User {
    /// Whether mail to `email` goes to this user; compared without case.
    #[must_use]
    pub fn has_address(&self, email: &str) -> bool {
        comparison_key(email) == comparison_key(&self.email)
    }

    /// Takes another address: nobody has shown yet that it is the user's.
    pub(crate) fn set_email(&mut self, email: &str) {
        self.email_verified &= self.has_address(email);
        email.trim().clone_into(&mut self.email);
    }
}

/// What a user says about themself; rights never depend on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// `mr`, `mrs` or `ms`.
    pub title: Option<String>,
    /// Free text.
    pub contact_info: Option<String>,
    /// Whether the privacy disclaimer was accepted.
    pub privacy_disclaimer_accepted: bool,
    /// Whether the terms of service were accepted.
    pub tos_disclaimer_accepted: bool,
    /// `Developer` or `Product Team`.
    pub user_type: String,
    /// Whether the survey was answered.
    pub survey_status: bool,
    /// Preferences about mail, as the front end keeps them.
    pub email_preferences: Option<Value>,
    /// Preferences about push messages, as the front end keeps them.
    pub push_preferences: Option<Value>,
    /// A time zone's name.
    pub user_timezone: Option<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            title: None,
            contact_info: None,
            privacy_disclaimer_accepted: false,
            tos_disclaimer_accepted: false,
            user_type: "Product Team".to_owned(),
            survey_status: false,
            email_preferences: None,
            push_preferences: None,
            user_timezone: None,
        }
    }
}

/// A password's hash in PHC form; printing it shows `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string.
    #[must_use]
    pub fn from_phc(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The hash of no password: of who signs in otherwise.
    #[must_use]
    pub fn none() -> Self {
        Self("!".to_owned())
    }

    /// Whether any password fits.
    #[must_use]
    pub fn is_some(&self) -> bool {
        *self != Self::none()
    }

    /// The PHC string, for the storage.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// What signing in needs of a user.
#[derive(Debug, Clone, PartialEq)]
pub struct Credentials {
    /// Who.
    pub user: UserId,
    /// Where the user belongs.
    pub organization: Option<OrganizationId>,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// What the password is checked against.
    pub password_hash: PasswordHash,
    /// Which password of the user it is.
    pub credential_version: u64,
}

/// The form in which names and addresses are compared: without case and outer blanks.
#[must_use]
pub fn comparison_key(text: &str) -> String {
    text.trim().to_lowercase()
}
