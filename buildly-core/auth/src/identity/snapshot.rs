//! The hot state: what every check reads, never waiting.
//!
//! One immutable value. Organizations load on first use; a change makes a new value that
//! shares everything the change did not touch, so that one changed user does not cost a
//! hundred thousand others.

mod bitmap;
mod follow;
mod roles;
mod shards;

use std::sync::Arc;

use buildly_model::{GroupId, Identity, OrganizationId, Principal, ServiceId, StoreError, UserId};
use foldhash::HashMap;

pub(crate) use bitmap::{Bitmap, Held};
pub(crate) use roles::{Attached, Roles};
use shards::Shards;

use super::{Attachment, DeploymentRows, Group, Member, OrganizationRows};

/// Users, organizations, groups and what the groups may do; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub(crate) deployment: Arc<DeploymentFacts>,
    organizations: Shards<OrganizationId, OrganizationFacts>,
    users: Shards<UserId, UserFacts>,
}

/// What a check needs of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// Who.
    pub id: UserId,
    /// The user's number on the old wire.
    pub number: i64,
    /// Where the user belongs.
    pub organization: Option<OrganizationId>,
    /// The name that the user signs in with.
    pub username: String,
    /// Whether the user may sign in, and tokens of the user count.
    pub is_active: bool,
    /// Whether the user may do everything.
    pub is_superuser: bool,
    /// What was proven with an older password than this one no longer counts.
    pub credential_version: u64,
    /// Groups of the organization, by the organization's numbers.
    pub(crate) groups: Held,
    /// Groups of the deployment, by the deployment's numbers.
    pub(crate) deployment_groups: Held,
}

/// What a check needs of one organization.
#[derive(Debug, Clone)]
pub struct OrganizationFacts {
    /// Which.
    pub id: OrganizationId,
    /// What people call it.
    pub name: String,
    pub(crate) roles: Roles,
    /// Services that groups of this organization are attached to.
    pub(crate) services: HashMap<ServiceId, Attached>,
}

/// What a check needs of the deployment as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeploymentFacts {
    pub(crate) roles: Roles,
    pub(crate) services: HashMap<ServiceId, ServiceFacts>,
}

/// A service that is not open to everybody.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceFacts {
    /// What is attached to it, in all organizations.
    pub(crate) attachments: Vec<Attachment>,
    /// The global groups among them.
    pub(crate) global: Attached,
}

impl Snapshot {
    /// Loads the deployment's own part from the storage; organizations follow on first use.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn load(store: &Arc<dyn crate::Store>) -> Result<Self, StoreError> {
        Ok(Self::of_deployment(store.deployment_rows().await?))
    }

    pub(crate) fn of_deployment(rows: DeploymentRows) -> Self {
        let mut deployment = DeploymentFacts { roles: Roles::new(rows.groups), services: HashMap::default() };
        for attachment in rows.attachments {
            deployment.services.entry(attachment.service).or_default().attachments.push(attachment);
        }
        deployment.index_services();
        let mut snapshot = Self { deployment: Arc::new(deployment), ..Self::default() };
        for member in rows.members {
            snapshot.put_member(member);
        }
        snapshot
    }

    /// This snapshot with the facts of `organization` in it; unchanged if there is none such.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub async fn load_organization(
        &self,
        organization: OrganizationId,
        store: &Arc<dyn crate::Store>,
    ) -> Result<Self, StoreError> {
        let mut snapshot = self.clone();
        if let Some(rows) = store.organization_rows(organization).await? {
            snapshot.put_organization(rows);
        }
        Ok(snapshot)
    }

    /// Whether the facts of `organization` are loaded.
    #[must_use]
    pub fn has_organization(&self, organization: OrganizationId) -> bool {
        self.organizations.get(organization).is_some()
    }

    /// A user; `None` if there is none such, or if its organization is not loaded.
    #[must_use]
    pub fn user(&self, user: UserId) -> Option<&UserFacts> {
        self.users.get(user).map(AsRef::as_ref)
    }

    /// An organization; `None` if there is none such, or if it is not loaded.
    #[must_use]
    pub fn organization(&self, organization: OrganizationId) -> Option<&OrganizationFacts> {
        self.organizations.get(organization).map(AsRef::as_ref)
    }

    /// How many users are loaded.
    #[must_use]
    pub const fn users_count(&self) -> usize {
        self.users.len()
    }

    /// The users of one organization that are loaded, in no order; looks at every loaded user.
    pub fn users_of(&self, organization: OrganizationId) -> impl Iterator<Item = &UserFacts> {
        self.users.values().map(AsRef::as_ref).filter(move |user| user.organization == Some(organization))
    }

    /// A group of the deployment or of a loaded organization.
    #[must_use]
    pub fn group(&self, organization: Option<OrganizationId>, group: GroupId) -> Option<&Arc<Group>> {
        let in_roles = |roles: &'_ Roles| roles.number(group);
        if let Some(number) = in_roles(&self.deployment.roles) {
            return self.deployment.roles.group(number);
        }
        let roles = &self.organization(organization?)?.roles;
        roles.group(in_roles(roles)?)
    }

    /// The services that a group is attached to, in no order.
    pub(crate) fn services_with(&self, group: GroupId) -> impl Iterator<Item = ServiceId> {
        let services = self.deployment.services.iter();
        let attached = services
            .filter(move |(_, facts)| facts.attachments.iter().any(|attachment| attachment.group == group));
        attached.map(|(service, _)| *service)
    }

    /// The groups that a user is a member of.
    pub fn groups_of<'a>(&'a self, user: &'a UserFacts) -> impl Iterator<Item = &'a Arc<Group>> {
        let own = user.organization.and_then(|organization| self.organization(organization));
        let own = own.into_iter().flat_map(|own| {
            user.groups.iter().filter_map(|number| own.roles.group(number)).collect::<Vec<_>>()
        });
        let global = user.deployment_groups.iter().filter_map(|number| self.deployment.roles.group(number));
        own.chain(global)
    }

    /// Whether the caller is an active superuser.
    #[must_use]
    pub fn is_superuser(&self, principal: &Principal) -> bool {
        self.active_user(principal).is_some_and(|user| user.is_superuser)
    }

    /// Whether the caller administers the deployment: a superuser, or a member of a global
    /// group with every permission.
    #[must_use]
    pub fn is_global_admin(&self, principal: &Principal) -> bool {
        self.active_user(principal).is_some_and(|user| {
            let administering = &self.deployment.roles.administering;
            user.is_superuser || administering.first_common(&user.deployment_groups).is_some()
        })
    }

    /// Whether the caller administers `organization`: a global admin, or a member of one of
    /// its organization-level groups with every permission.
    #[must_use]
    pub fn is_organization_admin(&self, principal: &Principal, organization: OrganizationId) -> bool {
        if self.is_global_admin(principal) {
            return true;
        }
        let user = self.active_user(principal).filter(|user| user.organization == Some(organization));
        let facts = self.organization(organization);
        user.zip(facts)
            .is_some_and(|(user, facts)| facts.roles.administering.first_common(&user.groups).is_some())
    }

    /// The user behind a principal, if it may act at all, in the organization that the principal states.
    pub(crate) fn active_user(&self, principal: &Principal) -> Option<&UserFacts> {
        let Identity::User(user) = principal.identity else { return None };
        self.user(user).filter(|user| user.is_active && user.organization == principal.organization)
    }

    pub(crate) fn put_organization(&mut self, rows: OrganizationRows) {
        let id = rows.organization.id;
        let mut facts = OrganizationFacts {
            id,
            name: rows.organization.name,
            roles: Roles::new(rows.groups),
            services: HashMap::default(),
        };
        facts.index_services(&self.deployment);
        self.organizations.insert(id, Arc::new(facts));
        for member in rows.members {
            self.put_member(member);
        }
    }

    /// Takes a user in, or out if its organization is not loaded.
    fn put_member(&mut self, member: Member) {
        let own = match member.organization.map(|organization| self.organization(organization)) {
            None => Held::default(),
            Some(Some(facts)) => facts.roles.held(&member.groups),
            Some(None) => return self.users.remove(member.user),
        };
        let facts = UserFacts {
            id: member.user,
            number: member.number,
            organization: member.organization,
            username: member.username,
            is_active: member.is_active,
            is_superuser: member.is_superuser,
            credential_version: member.credential_version,
            groups: own,
            deployment_groups: self.deployment.roles.held(&member.groups),
        };
        self.users.insert(facts.id, Arc::new(facts));
    }
}

impl OrganizationFacts {
    /// The groups of the organization, in no order.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.roles.iter().map(|(_, group)| group)
    }

    fn index_services(&mut self, deployment: &DeploymentFacts) {
        self.services.clear();
        for (service, facts) in &deployment.services {
            self.index_service(*service, facts);
        }
    }

    fn index_service(&mut self, service: ServiceId, facts: &ServiceFacts) {
        let own = facts.attachments.iter().filter(|attachment| attachment.organization == Some(self.id));
        let attached = self.roles.attach(own.map(|attachment| attachment.group));
        if attached.groups.is_empty() {
            self.services.remove(&service);
        } else {
            self.services.insert(service, attached);
        }
    }
}

impl DeploymentFacts {
    fn index_services(&mut self) {
        for facts in self.services.values_mut() {
            facts.global = self.roles.attach(facts.attachments.iter().map(|attachment| attachment.group));
        }
    }
}
