//! Security extensions: code of the application that proves who somebody is, and that says no.
//!
//! They take part; they do not decide alone. Whoever is proven from outside becomes a user of
//! this deployment, with its own tokens and the rights of its groups ([`OutsideIdentity`]). And
//! a decision that is a yes is shown to every extension, each of which may turn it into a no: a
//! no stays a no, so nothing is ever allowed that the core would not allow.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use buildly_model::{Action, Principal};

use crate::identity::OutsideIdentity;
use crate::permission::{Decision, Reason, Resource};

/// Takes part in sign-in, in decisions, or in both. Give one to `Builder::security`.
#[async_trait]
pub trait Security: Send + Sync {
    /// What it is called in reasons, and by whoever signs somebody in through it.
    fn name(&self) -> &str;

    /// Proves who sent a request, by whatever it carries: the query that an identity provider
    /// sends a browser back with, a header, a certificate that the server left in the extensions.
    ///
    /// May wait and ask others. What it says is believed, so it answers for the proof.
    ///
    /// # Errors
    /// [`Unproven`] says whether the proof is bad or could not be looked at.
    async fn identify(&self, request: &http::request::Parts) -> Result<OutsideIdentity, Unproven> {
        let _ = request;
        Err(Unproven::Refused(format!("`{}` signs nobody in", self.name())))
    }

    /// Why what the core allows is refused all the same; `None` lets it pass.
    ///
    /// It is asked on the way of every request, of every call of a join or a workflow, and of
    /// every operation on people and services, so it must answer from memory: no I/O, no lock
    /// that somebody may hold, no waiting. Overviews of what somebody may do ask once, under the
    /// nil id, for all services that no group is attached to.
    fn refusal(&self, question: &Question<'_>) -> Option<String> {
        let _ = question;
        None
    }
}

/// What the core would allow.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// Wants to do what.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// The rule that allows it.
    pub reason: &'a Reason,
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// What was shown proves nothing; the sentence is for whoever showed it.
    #[error("{0}")]
    Refused(String),
    /// The proof could not be looked at, such as when a provider does not answer; try again.
    #[error("{0}")]
    Unavailable(String),
}

/// The extensions that are asked before anything is allowed; usually none.
#[derive(Clone, Default)]
pub struct Guards(Option<Arc<[Arc<dyn Security>]>>);

impl Guards {
    /// Asks these, in this order; the first no counts.
    #[must_use]
    pub fn new(extensions: Vec<Arc<dyn Security>>) -> Self {
        Self((!extensions.is_empty()).then(|| extensions.into()))
    }

    /// The extension of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Security>> {
        self.0.iter().flat_map(|extensions| extensions.iter()).find(|extension| extension.name() == name)
    }

    /// The decision, or the no that an extension makes of a yes.
    pub(crate) fn confirm(
        &self,
        decision: Decision,
        principal: &Principal,
        action: Action,
        resource: Resource,
    ) -> Decision {
        let (Some(extensions), Decision::Allow(reason)) = (&self.0, &decision) else { return decision };
        let question = Question { principal, action, resource, reason };
        let refused = extensions.iter().find_map(|extension| {
            let refusal = extension.refusal(&question)?;
            Some(Reason::Refused { by: extension.name().into(), refusal: refusal.into() })
        });
        refused.map_or(decision, Decision::Deny)
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extensions = self.0.iter().flat_map(|extensions| extensions.iter());
        formatter.debug_list().entries(extensions.map(|extension| extension.name())).finish()
    }
}

#[cfg(test)]
mod tests;
