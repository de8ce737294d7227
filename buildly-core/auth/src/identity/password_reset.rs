//! A new password without the old one, proven by mail.

use std::net::IpAddr;

use buildly_journal::Part;
use buildly_model::{Principal, Secret, StoreError, UserId};
use serde_json::json;

use super::input::Input;
use super::one_time::draw_secret;
use super::{Change, Proof, ProofPurpose, Scope, SecretHash, User, UserKey, mail};
use crate::{Auth, Error};

/// The most accounts of one address that get a link.
const ACCOUNTS_MAX: u32 = 10;
const INVALID: &str = "Invalid value";

impl Auth {
    /// Mails a link to every active account with that address that has a password. The answer, and the work, are
    /// the same for an address that nobody has.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no address; [`Error::Limited`] if `address`, where the
    /// caller comes from, has failed or asked too often, or mail to `email` was asked for too
    /// often, whether anybody has it or not.
    pub async fn request_password_reset(&self, email: &str, address: Option<IpAddr>) -> Result<(), Error> {
        let mut input = Input::default();
        input.email("email", email.trim());
        input.done()?;
        let throttle = &self.identity.throttle;
        throttle.admit_mail(email, address, self.now())?;
        let found = self.parts.store.users_with_email(email, ACCOUNTS_MAX).await?;
        if !found.is_empty() {
            throttle.mail_is_known(email);
        }
        let (mut parts, mut mails) = (Vec::new(), Vec::new());
        for user in found.iter().filter(|user| user.is_active) {
            if !self.has_password(user).await? {
                continue;
            }
            let secret = draw_secret(&*self.parts.random);
            parts.push(self.proof_part(user, ProofPurpose::PasswordReset, &secret));
            let path = format!("reset_password_confirm/{}/", user.id);
            let link = mail::link(&self.settings().frontend_url, &path, &secret);
            mails.push(mail::password_reset(&user.email, &user.username, &link));
        }
        if parts.is_empty() {
            let event =
                self.event(&Principal::ANONYMOUS, "auth.password_reset.requested", "unknown", json!({}));
            parts.push(Part::of_all(None, Vec::new(), vec![event]));
        }
        let parts = parts.into_iter().map(|part| part.map(crate::Change::Identity)).collect();
        self.parts.commits.commit_all(parts).await?;
        mails.into_iter().for_each(|mail| self.mail(mail));
        Ok(())
    }

    /// Whether the user has a password; who signs in through an outside provider alone has none, and
    /// gives themself none: it would outlive the provider's word.
    pub(crate) async fn has_password(&self, user: &User) -> Result<bool, Error> {
        let found = self.find_credentials(&user.username).await?;
        Ok(found.is_none_or(|found| found.user != user.id || found.password_hash.is_some()))
    }

    pub(crate) fn proof_part(&self, user: &User, purpose: ProofPurpose, secret: &Secret) -> Part<Change> {
        let now = self.now();
        let (kind, lifetime) = match purpose {
            ProofPurpose::PasswordReset => {
                ("auth.password_reset.requested", self.settings().password_reset_lifetime)
            }
            ProofPurpose::EmailVerification => {
                ("auth.email_verification.requested", self.settings().email_verification_lifetime)
            }
        };
        let proof = Proof {
            secret: SecretHash::of(secret.expose().as_bytes()),
            purpose,
            organization: user.organization,
            user: user.id,
            email: user.email.clone(),
            created_at: now,
            expires_at: now.after(lifetime),
            used_at: None,
        };
        let event = self.event(&Principal::ANONYMOUS, kind, user.id, json!({}));
        Part::of(user.organization, Change::ProofCreated(proof), event)
    }

    /// Whether a link to set a new password counts.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn check_password_reset(&self, user: &str, secret: &str) -> Result<bool, Error> {
        Ok(self.find_reset(user, secret).await?.is_some())
    }

    /// Sets a new password; the link no longer counts then, nor does any other of the user.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the field `uid`, `token`, `new_password1` or `new_password2`.
    pub async fn confirm_password_reset(
        &self,
        user: &str,
        secret: &str,
        password: &Secret,
        repeated: &Secret,
    ) -> Result<(), Error> {
        let mut input = Input::default();
        if user.parse::<UserId>().is_err() {
            input.refuse("uid", INVALID);
        }
        input.password("new_password1", password, self.settings());
        if password.expose() != repeated.expose() {
            input.refuse("new_password2", "The two password fields didn't match.");
        }
        input.done()?;
        let refused = || Error::field("token", INVALID);
        let proof = self.find_reset(user, secret).await?.ok_or_else(refused)?;
        let password_hash = self.identity.hasher.hash(password).await?;
        let (at, user) = (self.now(), proof.user);
        let changes = vec![
            Change::ProofUsed { secret: proof.secret, purpose: proof.purpose, at },
            Change::PasswordSet { user, password_hash, at },
        ];
        let event = self.event(
            &Principal::ANONYMOUS,
            "auth.user.password_changed",
            user,
            json!({"by": "password reset"}),
        );
        let part = Part::of_all(proof.organization, changes, vec![event]).taking_rights();
        match self.commit_part(part).await {
            Err(Error::Store(StoreError::Stale | StoreError::Missing { .. })) => Err(refused()),
            other => other,
        }
    }

    /// A link counts while mail to where it went still goes to the user.
    async fn find_reset(&self, user: &str, secret: &str) -> Result<Option<Proof>, Error> {
        let Ok(user) = user.parse::<UserId>() else { return Ok(None) };
        let (store, now) = (&self.parts.store, self.now());
        let found = store.find_proof(SecretHash::of(secret.as_bytes())).await?;
        let found =
            found.filter(|proof| proof.user == user && proof.counts(ProofPurpose::PasswordReset, now));
        let Some(proof) = found else { return Ok(None) };
        let user = store.find_user(Scope::Deployment, UserKey::Id(user)).await?;
        Ok(user.filter(|user| user.has_address(&proof.email)).map(|_| proof))
    }

    /// Sets a password without any proof: for the operator of the deployment.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`].
    pub async fn set_password(&self, username: &str, password: &Secret) -> Result<(), Error> {
        let mut input = Input::default();
        input.password("password", password, self.settings());
        input.done()?;
        let found = self.find_credentials(username).await?;
        let found = found.ok_or(Error::NotFound { what: "user" })?;
        let password_hash = self.identity.hasher.hash(password).await?;
        let change = Change::PasswordSet { user: found.user, password_hash, at: self.now() };
        let facts = json!({"by": "operator"});
        let event = self.event(&Principal::ANONYMOUS, "auth.user.password_changed", found.user, facts);
        self.commit_part(Part::of(found.organization, change, event).taking_rights()).await
    }
}
