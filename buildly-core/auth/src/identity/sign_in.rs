//! Signing in with a password.

use std::net::IpAddr;

use buildly_model::{Identity, Principal, Secret};
use serde_json::json;

use super::password::Verdict;
use super::{Change, Credentials, Scope, User, UserKey};
use crate::{Auth, Error};

/// The most characters of a password that is looked at.
pub(crate) const PASSWORD_LENGTH_MAX: usize = 1024;

/// No name is longer, in bytes.
const USERNAME_BYTES_MAX: usize = 1024;

impl Auth {
    /// Checks a password; the user it belongs to.
    ///
    /// Takes the same work for a user who does not exist. `address` is where the caller
    /// comes from, if it is known.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], [`Error::AwaitingApproval`] only after the right
    /// password, [`Error::Limited`] after too many failures, [`Error::Busy`] if too many
    /// passwords wait to be checked.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &Secret,
        address: Option<IpAddr>,
    ) -> Result<User, Error> {
        let throttle = &self.identity.throttle;
        let mut attempt = throttle.admit(username, address, &*self.parts.clock).await?;
        let (credentials, verdict) = match self.check_password(username, password).await {
            Ok(checked) => checked,
            Err(error) => {
                attempt.not_made();
                return Err(error);
            }
        };
        if credentials.is_some() {
            attempt.account_exists();
        }
        let (Some(credentials), Verdict::Right | Verdict::RightButOld) = (credentials, verdict) else {
            return Err(Error::WrongCredentials);
        };
        attempt.succeeded();
        if !credentials.is_active {
            return Err(Error::AwaitingApproval);
        }
        if verdict == Verdict::RightButOld {
            self.rehash(&credentials, password).await;
        }
        let found = self.parts.store.find_user(Scope::Deployment, UserKey::Id(credentials.user)).await?;
        // What is proven with a password ends with it, also if it changed while it was checked.
        let is_same = |user: &User| user.credential_version == credentials.credential_version;
        found.filter(|user| user.is_active && is_same(user)).ok_or(Error::WrongCredentials)
    }

    /// The account of that name, and what the password is to it; after the same time if there
    /// is no such account.
    async fn check_password(
        &self,
        username: &str,
        password: &Secret,
    ) -> Result<(Option<Credentials>, Verdict), Error> {
        if password.expose().len() > PASSWORD_LENGTH_MAX {
            // Nobody has such a password, so it tells nothing that no hash is made.
            return Ok((None, Verdict::Wrong));
        }
        let credentials = self.find_credentials(username).await?;
        let against = credentials.as_ref().map(|found| &found.password_hash);
        let against = against.filter(|hash| hash.is_some());
        let verdict = self.identity.hasher.verify(password, against).await?;
        Ok((credentials, verdict))
    }

    /// What signing in needs of the user of that name; a text that can be no name is nobody's.
    pub(crate) async fn find_credentials(&self, username: &str) -> Result<Option<Credentials>, Error> {
        if username.contains('\0') || username.len() > USERNAME_BYTES_MAX {
            return Ok(None);
        }
        Ok(self.parts.store.find_credentials(username).await?)
    }

    /// Writes the same password under today's parameters; that it fails keeps nobody out.
    async fn rehash(&self, credentials: &Credentials, password: &Secret) {
        let written = async {
            let password_hash = self.identity.hasher.hash(password).await?;
            let (user, credential_version) = (credentials.user, credentials.credential_version);
            let principal = Principal {
                identity: Identity::User(user),
                organization: credentials.organization,
                ..Principal::ANONYMOUS
            };
            let event = self.event(&principal, "auth.user.password_rehashed", user, json!({}));
            let change = Change::PasswordRehashed { user, credential_version, password_hash };
            self.commit_change(credentials.organization, change, event).await
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "a password could not be hashed anew");
        }
    }
}
