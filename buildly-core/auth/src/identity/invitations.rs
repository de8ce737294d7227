//! Invitations: an administrator lets somebody in before they have registered.

use buildly_journal::Part;
use buildly_model::{InvitationId, Principal, Secret, Timestamp};
use serde_json::json;

use super::input::Input;
use super::one_time::draw_secret;
use super::{Change, Invitation, InvitationFault, Organization, SecretHash, mail, user::comparison_key};
use crate::permission::Reason;
use crate::{Auth, Error};

/// The most addresses of one call.
const EMAILS_MAX: usize = 10;

impl Auth {
    /// Invites people to the caller's organization; the links that were mailed. Registered
    /// addresses are skipped.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the organization; [`Error::Invalid`];
    /// [`Error::Limited`] if mail to one of them was asked for too often.
    pub async fn invite(&self, principal: &Principal, emails: &[String]) -> Result<Vec<Secret>, Error> {
        let caller = self.caller(principal).await?;
        let organization = principal.organization.ok_or(Error::Forbidden(Reason::NotAdministrator))?;
        caller.require_admin_of(Some(organization))?;
        check_emails(emails)?;
        let rows = self.parts.store.organizations_by_id(&[organization]).await?;
        let organization = rows.into_iter().next().ok_or(Error::NotFound { what: "organization" })?;
        let now = self.now();
        let (mut changes, mut events, mut sent) = (Vec::new(), Vec::new(), Vec::new());
        for email in emails {
            if !self.parts.store.users_with_email(email, 1).await?.is_empty() {
                continue;
            }
            self.identity.throttle.admit_mail(email, None, now)?;
            let secret = draw_secret(&*self.parts.random);
            let invitation = Invitation {
                id: InvitationId::generate(now, &*self.parts.random),
                organization: organization.id,
                email: email.trim().to_owned(),
                secret: SecretHash::of(secret.expose().as_bytes()),
                invited_by: principal.user(),
                created_at: now,
                expires_at: now.after(self.settings().invitation_lifetime),
                used_at: None,
            };
            let facts = json!({"email": invitation.email});
            events.push(self.event(principal, "auth.invitation.created", invitation.id, facts));
            sent.push((
                invitation.email.clone(),
                mail::link(&self.settings().frontend_url, "register/?token=", &secret),
            ));
            changes.push(Change::InvitationCreated(invitation));
        }
        if !changes.is_empty() {
            self.commit_part(Part::of_all(Some(organization.id), changes, events)).await?;
        }
        for (email, link) in &sent {
            self.mail(mail::invitation(email, &organization.name, link));
        }
        Ok(sent.into_iter().map(|(_, link)| Secret::new(link)).collect())
    }

    /// What an invitation is for, while it counts.
    ///
    /// # Errors
    /// [`Error::Invitation`] says why it does not.
    pub async fn check_invitation(&self, secret: &str) -> Result<(Invitation, Organization), Error> {
        self.find_invitation(secret, self.now()).await
    }

    pub(crate) async fn find_invitation(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<(Invitation, Organization), Error> {
        if secret.is_empty() {
            return Err(InvitationFault::Missing.into());
        }
        let found = self.parts.store.find_invitation(SecretHash::of(secret.as_bytes())).await?;
        let invitation = found.ok_or(InvitationFault::Unknown)?;
        invitation.check(now)?;
        let rows = self.parts.store.organizations_by_id(&[invitation.organization]).await?;
        let organization = rows.into_iter().next().ok_or(InvitationFault::Unknown)?;
        Ok((invitation, organization))
    }
}

fn check_emails(emails: &[String]) -> Result<(), Error> {
    let mut input = Input::default();
    if emails.is_empty() {
        input.refuse("emails", "This list may not be empty.");
    } else if emails.len() > EMAILS_MAX {
        input.refuse("emails", format!("Ensure this field has no more than {EMAILS_MAX} elements."));
    } else {
        emails.iter().for_each(|email| input.email("emails", email.trim()));
    }
    let mut keys: Vec<String> = emails.iter().map(|email| comparison_key(email)).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() < emails.len() {
        input.refuse("emails", "Name each address once.");
    }
    input.done()
}
