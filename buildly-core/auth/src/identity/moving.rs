//! Moving a user to another organization.

use buildly_journal::Part;
use buildly_model::{Principal, StoreError};
use serde_json::json;

use super::founding::found;
use super::input::Input;
use super::parts::{ATTEMPTS_MAX, is_stale};
use super::view::UserView;
use super::{Change, User, UserKey, mail};
use crate::permission::Reason;
use crate::{Auth, Error};

impl Auth {
    /// Moves a user: a new name makes an organization with the user as its administrator, an
    /// existing one makes the user an inactive member. By the user or an administrator of
    /// the organization that is left.
    ///
    /// # Errors
    /// [`Error::Forbidden`], also to another organization where the deployment takes only
    /// invited users; [`Error::Conflict`] if the old organization would lose its last
    /// administrator; [`Error::Invalid`].
    pub async fn move_user(
        &self,
        principal: &Principal,
        key: UserKey,
        organization_name: &str,
        email: Option<&str>,
    ) -> Result<UserView, Error> {
        let mut input = Input::default();
        input.name("organization_name", organization_name);
        if let Some(email) = email.filter(|email| !email.is_empty()) {
            input.email("email", email);
        }
        input.done()?;
        let mut attempt = 1;
        loop {
            match self.try_move_user(principal, key, organization_name, email).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_race(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    async fn try_move_user(
        &self,
        principal: &Principal,
        key: UserKey,
        organization_name: &str,
        email: Option<&str>,
    ) -> Result<UserView, Error> {
        let caller = self.caller(principal).await?;
        let user = self.user_to_change(&caller, key).await?;
        let held = self.parts.store.groups_by_id(&user.groups).await?;
        if !caller.is(user.id) {
            caller.require_admin_of(user.organization)?;
            caller.require_power_over(&user, &held)?;
        }
        let mut next = user.clone();
        if let Some(email) = email {
            next.set_email(email);
        }
        let existing = self.parts.store.find_organization_named(organization_name).await?;
        if existing.as_ref().is_some_and(|existing| user.organization == Some(existing.id)) {
            return self.stay(principal, &user, next).await;
        }
        if !self.settings().registration_is_open && !caller.is_global_admin() {
            return Err(Error::Forbidden(Reason::InvitationNeeded));
        }
        next.edited_at = self.now();
        let mut joining = match &existing {
            Some(organization) => {
                next.organization = Some(organization.id);
                next.is_active = user.is_superuser;
                next.groups = self.default_groups(organization.id).await?;
                Part::of_all(Some(organization.id), Vec::new(), Vec::new())
            }
            None => {
                let founding = found(organization_name, self.now(), &*self.parts.random);
                let (mut changes, mut events) = (Vec::new(), Vec::new());
                self.founding(principal, &founding, &mut changes, &mut events);
                next.organization = Some(founding.organization.id);
                next.groups = founding.founder_groups();
                Part::of_all(next.organization, changes, events)
            }
        };
        next.groups.extend(held.iter().filter(|group| group.organization.is_none()).map(|group| group.id));
        let facts = json!({"username": user.username, "is_active": next.is_active});
        joining.events.push(self.event(principal, "auth.user.joined", user.id, facts));
        let verification = self.verification_of(&user, &next);
        let leaving = self.leaving_part(principal, &user, next).await?;
        self.commit_with(vec![joining, leaving], verification).await?;
        let view = self.view_by_id(user.id).await?;
        if let Some(organization) = existing {
            for email in self.admin_emails(organization.id).await? {
                let frontend = &self.settings().frontend_url;
                self.notice(mail::approval_request(&email, &user.username, &organization.name, frontend));
            }
        }
        Ok(view)
    }

    /// Only the address may change then.
    async fn stay(&self, principal: &Principal, user: &User, mut next: User) -> Result<UserView, Error> {
        if next != *user {
            next.edited_at = self.now();
            let verification = self.verification_of(user, &next);
            let event = self.event(principal, "auth.user.updated", user.id, json!({}));
            let changes = vec![Change::ProofsForgotten(user.id), Change::UserUpdated(Box::new(next))];
            let part = Part::of_all(user.organization, changes, vec![event]);
            self.commit_with(vec![part], verification).await?;
        }
        self.view_by_id(user.id).await
    }

    async fn leaving_part(
        &self,
        principal: &Principal,
        user: &User,
        next: User,
    ) -> Result<Part<Change>, Error> {
        let event = self.event(principal, "auth.user.left", user.id, json!({"username": user.username}));
        let changes = vec![Change::ProofsForgotten(user.id), Change::UserUpdated(Box::new(next))];
        let part = Part::of_all(user.organization, changes, vec![event]).taking_rights();
        let Some(organization) = user.organization else { return Ok(part) };
        let admins = self.admins_of(organization).await?;
        admins.allow(&admins.with_user(user.id, &[]))?;
        Ok(part.expecting(admins.sequence))
    }
}

fn is_race(error: &Error) -> bool {
    is_stale(error) || matches!(error, Error::Store(StoreError::Taken { field: "organization_name" }))
}
