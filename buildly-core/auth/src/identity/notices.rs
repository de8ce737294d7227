//! What an administrator has to say to everybody in the organization, by mail.

use buildly_journal::Part;
use buildly_model::{OrganizationId, Principal};
use serde_json::json;

use super::input::{Input, REQUIRED};
use super::{Scope, mail};
use crate::{Auth, Error};

impl Auth {
    /// Mails a message to every active user of an organization; to how many.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers that organization; [`Error::Invalid`].
    pub async fn notify(
        &self,
        principal: &Principal,
        organization: OrganizationId,
        message: &str,
    ) -> Result<usize, Error> {
        self.tell(principal, organization, "Notification Message", "notification_messages", message).await
    }

    /// As [`Auth::notify`], as an alert of several messages.
    ///
    /// # Errors
    /// As [`Auth::notify`].
    pub async fn alert(
        &self,
        principal: &Principal,
        organization: OrganizationId,
        messages: &[String],
    ) -> Result<usize, Error> {
        self.tell(principal, organization, "Alert Message", "messages", &messages.join("\n")).await
    }

    async fn tell(
        &self,
        principal: &Principal,
        organization: OrganizationId,
        subject: &'static str,
        field: &'static str,
        text: &str,
    ) -> Result<usize, Error> {
        let caller = self.caller(principal).await?;
        caller.require_admin_of(Some(organization))?;
        let mut input = Input::default();
        if text.trim().is_empty() {
            input.refuse(field, REQUIRED);
        }
        input.text(field, text);
        input.done()?;
        let users = self.parts.store.users(Scope::Organization(organization), None, u32::MAX).await?;
        let mut emails: Vec<String> = users
            .into_iter()
            .filter(|user| user.is_active && !user.email.is_empty())
            .map(|user| user.email)
            .collect();
        emails.sort_unstable();
        emails.dedup();
        let facts = json!({"subject": subject, "addresses": emails.len()});
        let event = self.event(principal, "auth.notice.sent", organization, facts);
        self.commit_part(Part::of_all(Some(organization), Vec::new(), vec![event])).await?;
        emails.iter().for_each(|email| self.mail(mail::notice(email, subject, text)));
        Ok(emails.len())
    }
}
