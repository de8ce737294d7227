//! Shows that mail to a user's address arrives.

use buildly_journal::Part;
use buildly_model::Principal;
use serde_json::json;

use super::one_time::draw_secret;
use super::parts::{ATTEMPTS_MAX, is_stale};
use super::{Change, Mail, ProofPurpose, Scope, SecretHash, User, UserKey, mail};
use crate::{Auth, Error};

impl Auth {
    /// Mails the caller a link that verifies the caller's address.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`]; [`Error::Invalid`] if the caller has no address;
    /// [`Error::Limited`] if mail to it was asked for too often.
    pub async fn request_email_verification(&self, principal: &Principal) -> Result<(), Error> {
        let user = self.me(principal).await?.user;
        if user.email.is_empty() {
            return Err(Error::field("email", "Enter an address first."));
        }
        self.identity.throttle.admit_mail(&user.email, None, self.now())?;
        let (part, mail) = self.verification(&user);
        self.commit_part(part).await?;
        self.mail(mail);
        Ok(())
    }

    /// What shows that mail to a changed address arrives: to be written with the change, and
    /// mailed after it.
    pub(crate) fn verification_of(&self, before: &User, after: &User) -> Option<(Part<Change>, Mail)> {
        let is_new = !after.email.is_empty() && !before.has_address(&after.email);
        is_new.then(|| self.verification(after))
    }

    fn verification(&self, user: &User) -> (Part<Change>, Mail) {
        let secret = draw_secret(&*self.parts.random);
        let part = self.proof_part(user, ProofPurpose::EmailVerification, &secret);
        let link = mail::link(&self.settings().frontend_url, "verify-email/", &secret);
        (part, mail::email_verification(&user.email, &user.username, &link))
    }

    /// Takes what stood in the link; whether it counted.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn verify_email(&self, secret: &str) -> Result<bool, Error> {
        let mut attempt = 1;
        loop {
            match self.try_verify_email(secret).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_stale(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    async fn try_verify_email(&self, secret: &str) -> Result<bool, Error> {
        let now = self.now();
        let found = self.parts.store.find_proof(SecretHash::of(secret.as_bytes())).await?;
        let Some(proof) = found.filter(|proof| proof.counts(ProofPurpose::EmailVerification, now)) else {
            return Ok(false);
        };
        let found = self.parts.store.find_user(Scope::Deployment, UserKey::Id(proof.user)).await?;
        let Some(mut user) = found.filter(|user| user.has_address(&proof.email)) else { return Ok(false) };
        user.email_verified = true;
        user.edited_at = now;
        let (id, organization) = (user.id, user.organization);
        let changes = vec![
            Change::ProofUsed { secret: proof.secret, purpose: proof.purpose, at: now },
            Change::UserUpdated(Box::new(user)),
        ];
        let event = self.event(&Principal::ANONYMOUS, "auth.user.email_verified", id, json!({}));
        self.commit_part(Part::of_all(organization, changes, vec![event])).await.map(|()| true)
    }
}
