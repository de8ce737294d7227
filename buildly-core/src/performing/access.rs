//! Who may do what with workflows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildly_auth::{Decision, Resource};
use buildly_gateway::Gateway;
use buildly_model::{Action, Identity, OrganizationId, Principal, ServiceId};
use buildly_workflow::{Access, Doer, Error, Outside, Right};

use super::world::World;
use crate::snapshot::{Hot, Snapshot};
use uuid::Uuid;

/// Answers from the snapshot.
pub(crate) struct WorkflowAccess {
    pub(crate) hot: Arc<Hot>,
    pub(crate) gateway: Gateway,
}

/// How long publishing waits for documents of services that are not known yet.
const DOCUMENTS_PATIENCE: Duration = Duration::from_secs(5);

impl WorkflowAccess {
    async fn snapshot(&self, principal: &Principal) -> Result<(Arc<Snapshot>, OrganizationId), Error> {
        if !principal.is_signed_in() {
            return Err(Error::Unauthenticated);
        }
        let organization = principal.organization.ok_or_else(|| Error::Forbidden {
            reason: "workflows belong to an organization, and you are in none".to_owned(),
        })?;
        Ok((self.hot.for_principal(principal).await?, organization))
    }
}

#[async_trait]
impl Access for WorkflowAccess {
    async fn require(&self, principal: &Principal, right: Right) -> Result<OrganizationId, Error> {
        let (snapshot, organization) = self.snapshot(principal).await?;
        let (action, resource) = match right {
            Right::Read => (Action::Read, Resource::Organization(organization)),
            Right::Start => (Action::Create, Resource::Organization(organization)),
            Right::Operate => (Action::Update, Resource::Organization(organization)),
            Right::Design => (Action::Update, Resource::Administration(organization)),
        };
        match snapshot.auth.check(principal, action, resource) {
            Decision::Allow(_) => Ok(organization),
            Decision::Deny(reason) => Err(Error::Forbidden { reason: reason.to_string() }),
        }
    }

    async fn doer(&self, principal: &Principal) -> Result<(OrganizationId, Doer), Error> {
        let (snapshot, organization) = self.snapshot(principal).await?;
        Ok((organization, doer(&snapshot, principal)))
    }

    async fn outside(
        &self,
        principal: &Principal,
        published: Vec<String>,
        services: Vec<String>,
    ) -> Result<Box<dyn Outside + Send + Sync>, Error> {
        let (snapshot, organization) = self.snapshot(principal).await?;
        let registered = services.iter().filter_map(|name| snapshot.gateway.find_by_name(name));
        let unknown: Vec<ServiceId> = registered
            .filter(|registered| registered.api(None).is_none())
            .map(|registered| registered.service.id)
            .collect();
        if !unknown.is_empty() {
            self.gateway.learn_specifications(&unknown, DOCUMENTS_PATIENCE).await;
        }
        let snapshot = self.hot.load();
        Ok(Box::new(World { snapshot, organization, principal: principal.clone(), published }))
    }
}

/// How tasks name somebody: by id, as the journal does, or as people do. Whoever has called
/// themselves by the id of somebody else is not taken for them.
fn names(id: String, identity: Identity, name: &str) -> Vec<String> {
    let is_an_id = Uuid::parse_str(name).is_ok() || name.parse::<Identity>().is_ok();
    let mut names = vec![id, identity.to_string()];
    names.extend((!is_an_id).then(|| name.to_owned()));
    names
}

fn doer(snapshot: &Snapshot, principal: &Principal) -> Doer {
    let auth = &snapshot.auth;
    let (names, groups) = match principal.identity {
        Identity::User(id) => match auth.identity.user(id).filter(|user| user.is_active) {
            Some(user) => (
                names(id.to_string(), principal.identity, &user.username),
                auth.identity.groups_of(user).map(|group| group.name.clone()).collect(),
            ),
            None => (Vec::new(), Vec::new()),
        },
        Identity::ServiceAccount(id) => match auth.token.service_account(id) {
            Some(account) => (
                names(id.to_string(), principal.identity, &account.name),
                account
                    .groups
                    .iter()
                    .filter_map(|group| auth.identity.group(Some(account.organization), *group))
                    .map(|group| group.name.clone())
                    .collect(),
            ),
            None => (Vec::new(), Vec::new()),
        },
        Identity::Anonymous | Identity::Application(_) => (Vec::new(), Vec::new()),
    };
    Doer { actor: principal.identity.to_string(), names, groups }
}
