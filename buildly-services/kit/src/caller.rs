//! Who is asking a service.

use async_trait::async_trait;
use buildly_model::{Identity, OrganizationId, Principal};
use http::HeaderMap;
use uuid::Uuid;

use crate::Error;

/// A caller whose token has been checked, in the organization that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The organization whose records the caller sees and writes.
    pub organization: OrganizationId,
}

impl Caller {
    /// The id of the user, the service account or the application; nil for nobody.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        match self.principal.identity {
            Identity::Anonymous => Uuid::nil(),
            Identity::User(user) => user.as_uuid(),
            Identity::ServiceAccount(account) => account.as_uuid(),
            Identity::Application(application) => application.as_uuid(),
        }
    }

    /// A text that no other principal of the organization has.
    #[must_use]
    pub fn name(&self) -> String {
        match self.principal.identity {
            Identity::Anonymous => "anonymous".to_owned(),
            Identity::User(user) => format!("user {user}"),
            Identity::ServiceAccount(account) => format!("service-account {account}"),
            Identity::Application(application) => format!("application {application}"),
        }
    }
}

/// Says who a request comes from. [`crate::Tokens`] does it by access tokens; an application
/// that mounts a service in its own process may do it otherwise.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// Reads the caller from the request's headers.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] for a caller without organization,
    /// [`Error::Unavailable`] if it cannot be found out now.
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Error>;
}
