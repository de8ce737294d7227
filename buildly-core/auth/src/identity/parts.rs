//! What the operations of identity share: settings, mail, hashing threads, throttle.

use std::sync::Arc;

use buildly_journal::{Event, Part};
use buildly_model::{OrganizationId, Principal, Random, StoreError, Timestamp};
use serde::Serialize;

use super::password::Hasher;
use super::throttle::Throttle;
use super::turns::Turns;
use super::{Change, Mail, Mailer, Settings};
use crate::{Auth, Error};

/// How many passwords of strangers who register are hashed, or wait for it, at once: a part of
/// the threads' queue, so that they never keep those out who sign in.
const STRANGERS_AT_WORK_MAX: usize = 8;
/// How many strangers may be about to register.
const STRANGERS_MAX: usize = 256;
/// How often a decision is made anew when the state has moved on under it.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

/// What the operations of identity share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) settings: Arc<Settings>,
    pub(crate) mailer: Option<Arc<dyn Mailer>>,
    pub(crate) hasher: Arc<Hasher>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) strangers: Arc<Turns>,
}

impl Parts {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self {
            settings: Arc::new(Settings::default()),
            mailer: None,
            hasher: Arc::new(Hasher::new(random)),
            throttle: Arc::new(Throttle::default()),
            strangers: Arc::new(Turns::new(STRANGERS_AT_WORK_MAX, STRANGERS_MAX)),
        }
    }
}

impl Auth {
    /// Delivers mail through `mailer`; without one, mail is dropped with a warning.
    #[must_use]
    pub fn with_mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.identity.mailer = Some(mailer);
        self
    }

    /// Takes these decisions about people instead of the usual ones.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.identity.settings = Arc::new(settings);
        self
    }

    /// What was decided about people.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.identity.settings
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn mail(&self, mail: Mail) {
        match &self.identity.mailer {
            Some(mailer) => mailer.send(mail),
            None => tracing::warn!(subject = mail.subject, "mail is not configured, a message was dropped"),
        }
    }

    /// Tells an administrator of something that strangers can do as often as they like.
    pub(crate) fn notice(&self, mail: Mail) {
        match self.identity.throttle.admit_notice(&mail.to, self.now()) {
            Ok(()) => self.mail(mail),
            Err(_) => tracing::warn!(subject = mail.subject, "too many notices to one administrator"),
        }
    }

    pub(crate) fn event(
        &self,
        principal: &Principal,
        kind: &'static str,
        subject: impl ToString,
        payload: impl Serialize,
    ) -> Event {
        Event::new(kind, subject, payload, principal, &*self.parts.clock, &*self.parts.random)
    }

    /// Writes one change of identity with its event.
    pub(crate) async fn commit_change(
        &self,
        organization: Option<OrganizationId>,
        change: Change,
        event: Event,
    ) -> Result<(), Error> {
        self.commit_part(Part::of(organization, change, event)).await
    }

    pub(crate) async fn commit_part(&self, part: Part<Change>) -> Result<(), Error> {
        self.parts.commits.commit(part.map(crate::Change::Identity)).await?;
        Ok(())
    }

    /// Writes parts together with what else is to be written, and sends its mail then.
    pub(crate) async fn commit_with(
        &self,
        mut parts: Vec<Part<Change>>,
        mailed: Option<(Part<Change>, Mail)>,
    ) -> Result<(), Error> {
        let (part, mail) = mailed.unzip();
        parts.extend(part);
        if !parts.is_empty() {
            let parts = parts.into_iter().map(|part| part.map(crate::Change::Identity)).collect();
            self.parts.commits.commit_all(parts).await?;
        }
        match mail.map(|mail| (self.identity.throttle.admit_mail(&mail.to, None, self.now()), mail)) {
            Some((Ok(()), mail)) => self.mail(mail),
            Some((Err(_), mail)) => tracing::warn!(subject = mail.subject, "too much mail to one address"),
            None => {}
        }
        Ok(())
    }
}

/// Whether to decide again.
pub(crate) const fn is_stale(error: &Error) -> bool {
    matches!(error, Error::Store(StoreError::Stale))
}
