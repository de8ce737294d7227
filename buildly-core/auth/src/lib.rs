//! Who you are and what you may do: identity, tokens and permissions.
//!
//! [`identity`] knows people, organizations, groups and what their groups may do;
//! [`token`] proves who is asking; [`security`] is how an application takes part in both.
//! Decisions are pure functions over a [`Snapshot`]; the operations of [`Auth`] are the async
//! shell around them.

pub mod identity;
pub mod permission;
pub mod security;
pub mod token;

mod concerned;
mod error;

use std::sync::Arc;

use async_trait::async_trait;
use buildly_journal::Commit;
use buildly_model::{Action, Clock, Identity, OrganizationId, Principal, Random, StoreError, Timestamp};

pub use concerned::Concerned;
pub use error::Error;
pub use permission::{Decision, Reason, Resource};

/// What this area can change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// People, organizations, groups, grants.
    Identity(identity::Change),
    /// Keys, sessions, applications, service accounts.
    Token(token::Change),
}

impl From<identity::Change> for Change {
    fn from(change: identity::Change) -> Self {
        Self::Identity(change)
    }
}

impl From<token::Change> for Change {
    fn from(change: token::Change) -> Self {
        Self::Token(change)
    }
}

/// What this area needs to read from a storage.
pub trait Store: identity::Store + token::Store {}

impl<T: identity::Store + token::Store> Store for T {}

/// The hot state of this area: what every check reads, never waiting.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Organizations, users, groups, grants.
    pub identity: identity::Snapshot,
    /// Keys, applications, revocations.
    pub token: token::Snapshot,
    /// Who is asked before anything is allowed.
    pub guards: security::Guards,
}

impl Snapshot {
    /// Whether the facts of `organization` are in this snapshot.
    #[must_use]
    pub fn has_organization(&self, organization: OrganizationId) -> bool {
        self.identity.has_organization(organization)
    }

    /// This snapshot with the facts of `organization` in it.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub async fn load_organization(
        &self,
        organization: OrganizationId,
        store: &Arc<dyn Store>,
    ) -> Result<Self, StoreError> {
        let identity = self.identity.load_organization(organization, store).await?;
        Ok(Self { identity, ..self.clone() })
    }
}

impl Snapshot {
    /// Whether what proved `principal` still counts; its organization has to be loaded.
    ///
    /// # Errors
    /// The [`token::Refusal`] that its token or API key would meet now.
    pub fn check_standing(&self, principal: &Principal, now: Timestamp) -> Result<(), token::Refusal> {
        token::standing::check(self, principal, now)
    }

    /// Decides whether `principal` may perform `action` on `resource`.
    ///
    /// The organization of the principal has to be loaded. Service accounts have the rights
    /// of their groups; applications acting for themselves have none.
    pub fn check(&self, principal: &Principal, action: Action, resource: Resource) -> Decision {
        let decision = match principal.identity {
            Identity::ServiceAccount(account) => {
                let groups = self.token.groups_of(account);
                self.identity.check_groups(principal.organization, groups, action, resource)
            }
            Identity::Anonymous | Identity::User(_) | Identity::Application(_) => {
                self.identity.check(principal, action, resource)
            }
        };
        self.guards.confirm(decision, principal, action, resource)
    }

    /// Whether `principal` administers the deployment, and no security extension refuses it.
    #[must_use]
    pub fn is_global_admin(&self, principal: &Principal) -> bool {
        let administers = Decision::Allow(Reason::AdministersDeployment);
        self.identity.is_global_admin(principal)
            && self.guards.confirm(administers, principal, Action::Update, Resource::Deployment).is_allowed()
    }
}

/// Where the operations take the current snapshot from; the facade implements it.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// The snapshot now. Take it once where a request enters and pass it down.
    fn current(&self) -> Arc<Snapshot>;

    /// The snapshot once `organization` is in it: organizations load on first use.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be loaded.
    async fn with_organization(&self, organization: OrganizationId) -> Result<Arc<Snapshot>, StoreError>;
}

/// The operations of identity, tokens and permissions; cheap to clone.
#[derive(Clone)]
pub struct Auth {
    pub(crate) parts: Arc<Parts>,
    pub(crate) identity: identity::Parts,
}

/// What the operations need from outside.
pub struct Parts {
    /// Reads.
    pub store: Arc<dyn Store>,
    /// Writes.
    pub commits: Arc<dyn Commit<Change>>,
    /// Hot state.
    pub snapshots: Arc<dyn Snapshots>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What tokens are signed with.
    pub signing: token::Signing,
}

impl Auth {
    /// Connects the operations with their outside.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let identity = identity::Parts::new(Arc::clone(&parts.random));
        Self { parts: Arc::new(parts), identity }
    }
}
