//! Shows that mail to a user's address arrives.

use buildly_journal::Part;
use buildly_model::Principal;
use serde_json::json;

use super::one_time::draw_secret;
use super::parts::is_stale;
use super::user::comparison_key;
use super::{Change, ProofPurpose, Scope, SecretHash, UserKey, mail};
use crate::{Auth, Error};

impl Auth {
    /// Mails the caller a link that verifies the caller's address.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; [`Error::Invalid`] if the caller has no address.
    pub async fn request_email_verification(&self, principal: &Principal) -> Result<(), Error> {
        let user = self.me(principal).await?.user;
        if user.email.is_empty() {
            return Err(Error::field("email", "Enter an address first."));
        }
        let secret = draw_secret(&*self.parts.random);
        self.commit_part(self.proof_part(&user, ProofPurpose::EmailVerification, &secret)).await?;
        let link = mail::link(&self.settings().frontend_url, "verify-email/", &secret);
        self.mail(mail::email_verification(&user.email, &user.username, &link));
        Ok(())
    }

    /// Takes what stood in the link; whether it counted.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn verify_email(&self, secret: &str) -> Result<bool, Error> {
        let now = self.now();
        let found = self.parts.store.find_proof(SecretHash::of(secret.as_bytes())).await?;
        let Some(proof) = found.filter(|proof| proof.counts(ProofPurpose::EmailVerification, now)) else {
            return Ok(false);
        };
        let found = self.parts.store.find_user(Scope::Deployment, UserKey::Id(proof.user)).await?;
        let has_address = |user: &super::User| comparison_key(&user.email) == comparison_key(&proof.email);
        let Some(mut user) = found.filter(has_address) else { return Ok(false) };
        user.email_verified = true;
        user.edited_at = now;
        let (id, organization) = (user.id, user.organization);
        let changes = vec![
            Change::ProofUsed { secret: proof.secret, purpose: proof.purpose, at: now },
            Change::UserUpdated(Box::new(user)),
        ];
        let event = self.event(&Principal::ANONYMOUS, "auth.user.email_verified", id, json!({}));
        match self.commit_part(Part::of_all(organization, changes, vec![event])).await {
            Err(error) if is_stale(&error) => Ok(false),
            other => other.map(|()| true),
        }
    }
}
