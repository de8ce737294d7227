//! Signing in with a password.

use std::net::IpAddr;

use buildly_model::{Identity, Principal, Secret};
use serde_json::json;

use super::password::Verdict;
use super::{Change, Credentials, Scope, User, UserKey};
use crate::{Auth, Error};

/// The most characters of a password that is looked at.
pub(crate) const PASSWORD_LENGTH_MAX: usize = 1024;

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
        let (throttle, now) = (&self.identity.throttle, self.now());
        if let Some(retry_after) = throttle.wait(username, address, now) {
            return Err(Error::Limited { retry_after });
        }
        let credentials = match password.expose().len() <= PASSWORD_LENGTH_MAX {
            true => self.parts.store.find_credentials(username).await?,
            false => None,
        };
        let against = credentials.as_ref().map(|found| &found.password_hash);
        let verdict = self.identity.hasher.verify(password, against).await?;
        let (Some(credentials), Verdict::Right | Verdict::RightButOld) = (credentials, verdict) else {
            throttle.failed(username, address, now);
            return Err(Error::WrongCredentials);
        };
        throttle.succeeded(username);
        if !credentials.is_active {
            return Err(Error::AwaitingApproval);
        }
        if verdict == Verdict::RightButOld {
            self.rehash(&credentials, password).await;
        }
        let found = self.parts.store.find_user(Scope::Deployment, UserKey::Id(credentials.user)).await?;
        found.filter(|user| user.is_active).ok_or(Error::WrongCredentials)
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
