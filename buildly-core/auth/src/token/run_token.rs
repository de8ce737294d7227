//! Tokens for calls that a workflow's run makes, when nobody is waiting.

use std::sync::Arc;
use std::time::Duration;

use buildly_model::{Identity, Principal, RunId, Secret, SessionId};

use super::Refusal;
use super::issue::Bearer;
use crate::identity::UserFacts;
use crate::{Auth, Error};

/// How long it lives: it is made for one call.
const LIFETIME: Duration = Duration::from_secs(60);

impl Auth {
    /// A token for one call that `run` makes as `principal`; it lives for a minute. Its subject is
    /// the principal, its actor (RFC 8693) the run.
    ///
    /// # Errors
    /// [`Error::Token`] if the user or service account is gone or switched off, or is in another
    /// organization now; [`Error::Signing`] if nothing can be signed.
    pub async fn token_for_run(&self, principal: &Principal, run: RunId) -> Result<Secret, Error> {
        let now = self.parts.clock.now();
        let snapshot = self.ready_to_sign().await?;
        let bearer = match principal.identity {
            Identity::User(user) => {
                let snapshot = match principal.organization {
                    Some(organization) => self.parts.snapshots.with_organization(organization).await?,
                    None => Arc::clone(&snapshot),
                };
                let stands =
                    |user: &&UserFacts| user.is_active && user.organization == principal.organization;
                let found = snapshot.identity.user(user).filter(stands);
                Bearer::of_user_in(run, found.ok_or(Error::Token(Refusal::User))?)
            }
            Identity::ServiceAccount(account) => {
                let found = snapshot.token.service_account(account);
                let stands = |account: &&super::ServiceAccount| {
                    account.is_active && principal.organization == Some(account.organization)
                };
                Bearer::of_account_in(run, found.filter(stands).ok_or(Error::Token(Refusal::ApiKey))?)
            }
            Identity::Anonymous | Identity::Application(_) => return Err(Error::Token(Refusal::User)),
        };
        let session = SessionId::generate(now, &*self.parts.random);
        let (_, token) = self.sign_access_until(now.after(LIFETIME), &snapshot, &bearer, session, now)?;
        Ok(token)
    }
}
