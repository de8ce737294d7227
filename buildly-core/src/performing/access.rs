//! Who may do what with workflows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildly_auth::identity::Group;
use buildly_auth::{Decision, Resource};
use buildly_gateway::Gateway;
use buildly_model::{
    Action, Actions, FieldError, GroupId, Identity, OrganizationId, Principal, ServiceId, UserId,
};
use buildly_workflow::levels::Standing;
use buildly_workflow::{Access, Doer, Error, Outside, Right};
use uuid::Uuid;

use super::world::World;
use crate::snapshot::{Hot, Snapshot};

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

    async fn of_organization(&self, organization: OrganizationId) -> Result<Arc<Snapshot>, Error> {
        let nobody = Principal { organization: Some(organization), ..Principal::ANONYMOUS };
        let snapshot = self.hot.for_principal(&nobody).await?;
        if snapshot.auth.has_organization(organization) {
            return Ok(snapshot);
        }
        let field = FieldError::new("organization", "There is no such organization.");
        Err(Error::Invalid(vec![field]))
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

    async fn standing(&self, principal: &Principal) -> Result<Standing, Error> {
        if !principal.is_signed_in() {
            return Err(Error::Unauthenticated);
        }
        let snapshot = self.hot.for_principal(principal).await?;
        let may = |action, resource| snapshot.auth.check(principal, action, resource).is_allowed();
        let own = principal.organization.map_or(Actions::NONE, |own| {
            let allowed = Action::ALL.into_iter().filter(|action| may(*action, Resource::Organization(own)));
            allowed.fold(Actions::NONE, Actions::with)
        });
        let is_admin =
            principal.organization.is_some_and(|own| may(Action::Update, Resource::Administration(own)));
        Ok(Standing {
            organization: principal.organization,
            user: principal.user(),
            is_global_admin: snapshot.auth.is_global_admin(principal),
            is_admin,
            own,
            groups: groups(&snapshot, principal)
                .into_iter()
                .map(|group| (group.id, group.permissions))
                .collect(),
        })
    }

    async fn group_actions(
        &self,
        organization: OrganizationId,
        groups: &[GroupId],
    ) -> Result<Vec<Option<Actions>>, Error> {
        let snapshot = self.of_organization(organization).await?;
        let actions = |group: &GroupId| {
            snapshot.auth.identity.group(Some(organization), *group).map(|group| group.permissions)
        };
        Ok(groups.iter().map(actions).collect())
    }

    async fn strangers(&self, organization: OrganizationId, users: &[UserId]) -> Result<Vec<UserId>, Error> {
        let snapshot = self.of_organization(organization).await?;
        let is_member = |user: &UserId| {
            snapshot.auth.identity.user(*user).is_some_and(|user| user.organization == Some(organization))
        };
        Ok(users.iter().copied().filter(|user| !is_member(user)).collect())
    }
}

/// The caller's groups, if the caller may act at all.
fn groups(snapshot: &Snapshot, principal: &Principal) -> Vec<Arc<Group>> {
    let auth = &snapshot.auth;
    match principal.identity {
        Identity::User(id) => {
            let user = auth.identity.user(id);
            let user = user.filter(|user| user.is_active && user.organization == principal.organization);
            user.into_iter().flat_map(|user| auth.identity.groups_of(user)).cloned().collect()
        }
        Identity::ServiceAccount(id) => {
            let Some(account) = auth.token.service_account(id) else { return Vec::new() };
            let group = |group: &GroupId| auth.identity.group(Some(account.organization), *group).cloned();
            account.groups.iter().filter_map(group).collect()
        }
        Identity::Anonymous | Identity::Application(_) => Vec::new(),
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
    let names = match principal.identity {
        Identity::User(id) => {
            let user = auth.identity.user(id).filter(|user| user.is_active);
            user.map(|user| names(id.to_string(), principal.identity, &user.username))
        }
        Identity::ServiceAccount(id) => {
            let account = auth.token.service_account(id);
            account.map(|account| names(id.to_string(), principal.identity, &account.name))
        }
        Identity::Anonymous | Identity::Application(_) => None,
    };
    let groups = groups(snapshot, principal).iter().map(|group| group.name.clone()).collect();
    Doer { actor: principal.identity.to_string(), names: names.unwrap_or_default(), groups }
}
