//! Whose rights a page of events may have taken away.
//!
//! Streams that stay open are asked again whether they may go on, but only those of whom an
//! event speaks, and none at all for what happens all day, such as somebody signing in. An event
//! that this file does not know concerns everybody. Pure.

use std::collections::HashSet;

use buildly_journal::FeedEvent;
use buildly_model::{
    ApplicationId, Identity, OrganizationId, Principal, ServiceAccountId, ServiceId, SessionId, UserId,
};

/// Whose rights a page of events may have taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerned {
    everybody: bool,
    users: HashSet<UserId>,
    accounts: HashSet<ServiceAccountId>,
    applications: HashSet<ApplicationId>,
    sessions: HashSet<SessionId>,
    organizations: HashSet<OrganizationId>,
    services: HashSet<ServiceId>,
}

impl Concerned {
    /// Reads the events of this area; those of others are passed over.
    #[must_use]
    pub fn by(events: &[FeedEvent]) -> Self {
        let mut concerned = Self::default();
        for event in events {
            if let Some((thing, what)) =
                event.kind.strip_prefix("auth.").and_then(|rest| rest.split_once('.'))
                && concerned.note(thing, what, event).is_none()
            {
                // Unreadable, or of a kind that is not known here.
                concerned.everybody = true;
            }
        }
        concerned
    }

    /// `None` if it is not known whom the event concerns.
    fn note(&mut self, thing: &str, what: &str, event: &FeedEvent) -> Option<()> {
        let subject = event.subject.as_str();
        match (thing, what) {
            ("session", "revoked") => drop(self.sessions.insert(subject.parse().ok()?)),
            ("session", "started" | "refreshed" | "repeated" | "forgotten")
            | ("user" | "group" | "organization" | "application" | "service_account", "created")
            | ("user", "password_rehashed" | "email_verified")
            | ("service_account", "key_created" | "key_used")
            // What a retired key signed is accepted until its time is over.
            | ("signing_key", "added" | "retired")
            | ("issuer", "used")
            | ("notice", "sent")
            | ("password_reset" | "email_verification", "requested")
            | ("invitation" | "organization_type" | "consortium" | "partner", _) => {}
            ("user", _) => drop(self.users.insert(subject.parse().ok()?)),
            ("service_account", _) => drop(self.accounts.insert(subject.parse().ok()?)),
            ("application", _) => drop(self.applications.insert(subject.parse().ok()?)),
            ("organization", _) => drop(self.organizations.insert(subject.parse().ok()?)),
            ("service_groups", _) => drop(self.services.insert(subject.parse().ok()?)),
            // A group of the deployment may have members anywhere.
            ("group", _) => drop(self.organizations.insert(event.organization?)),
            (_, _) => return None,
        }
        Some(())
    }

    /// Whether nobody is concerned.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a principal's use of a service is concerned.
    #[must_use]
    pub fn includes(&self, principal: &Principal, service: ServiceId) -> bool {
        let is_named = match principal.identity {
            Identity::Anonymous => false,
            Identity::User(user) => self.users.contains(&user),
            Identity::ServiceAccount(account) => self.accounts.contains(&account),
            Identity::Application(application) => self.applications.contains(&application),
        };
        self.everybody
            || is_named
            || principal.session.is_some_and(|session| self.sessions.contains(&session))
            || principal.proof.application.is_some_and(|one| self.applications.contains(&one))
            || principal.organization.is_some_and(|one| self.organizations.contains(&one))
            || self.services.contains(&service)
    }
}

#[cfg(test)]
mod tests;
