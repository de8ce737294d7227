//! What the other areas ask of auth: "may this principal?".

use std::sync::Arc;

use async_trait::async_trait;
use buildly_auth::{Decision, Resource, Snapshots as _};
use buildly_model::{Action, Principal, StoreError};
use tracing::debug;

use crate::snapshot::Hot;

/// Answers from the snapshot.
pub(crate) struct Rights {
    pub(crate) hot: Arc<Hot>,
}

impl Rights {
    async fn check(
        &self,
        principal: &Principal,
        action: Action,
        resource: Resource,
    ) -> Result<Decision, StoreError> {
        let snapshot = match principal.organization {
            Some(organization) => self.hot.with_organization(organization).await?,
            None => self.hot.current(),
        };
        Ok(snapshot.check(principal, action, resource))
    }
}

#[async_trait]
impl buildly_gateway::Access for Rights {
    async fn require_superuser(&self, principal: &Principal) -> Result<(), buildly_gateway::Error> {
        if !principal.is_signed_in() {
            return Err(buildly_gateway::Error::Unauthenticated);
        }
        let decision = self.check(principal, Action::Update, Resource::Deployment).await?;
        match decision {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(reason) => {
                debug!(%reason, "refused");
                Err(buildly_gateway::Error::Forbidden)
            }
        }
    }
}
