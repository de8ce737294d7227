//! What identity reads from a storage.

use async_trait::async_trait;
use buildly_model::{GroupId, OrganizationId, Place, ServiceId, StoreError, UserId};

use super::{
    Consortium, Credentials, Group, GroupKey, Invitation, Organization, OrganizationType, Partner, Proof,
    SecretHash, User, UserKey,
};

/// Whose rows a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of one organization.
    Organization(OrganizationId),
    /// Those of the whole deployment: for its administrators.
    Deployment,
}

impl Scope {
    /// The organization, if it is one.
    #[must_use]
    pub const fn organization(self) -> Option<OrganizationId> {
        match self {
            Self::Organization(organization) => Some(organization),
            Self::Deployment => None,
        }
    }
}

/// What the snapshot keeps of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// The user's number on the old wire.
    pub number: i64,
    /// Where the user belongs.
    pub organization: Option<OrganizationId>,
    /// The name that the user signs in with.
    pub username: String,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// Whether the user may do everything.
    pub is_superuser: bool,
    /// Counts password changes.
    pub credential_version: u64,
    /// The groups that the user is a member of.
    pub groups: Vec<GroupId>,
}

/// A group that is attached to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attachment {
    /// The service.
    pub service: ServiceId,
    /// The group; it may have been deleted since.
    pub group: GroupId,
    /// Whose group it is; `None` for groups of the deployment and deleted ones.
    pub organization: Option<OrganizationId>,
}

/// What the snapshot keeps of the deployment as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeploymentRows {
    /// Groups that belong to no organization.
    pub groups: Vec<Group>,
    /// Groups attached to services, of all organizations.
    pub attachments: Vec<Attachment>,
    /// Users who belong to no organization.
    pub members: Vec<Member>,
}

/// What the snapshot keeps of one organization.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganizationRows {
    /// The organization.
    pub organization: Organization,
    /// Its groups.
    pub groups: Vec<Group>,
    /// Its users.
    pub members: Vec<Member>,
}

/// An active user in a group that administers an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminMembership {
    /// The group.
    pub group: GroupId,
    /// The member.
    pub user: UserId,
}

/// Reads what identity remembers; never on a request's hot path.
#[async_trait]
pub trait Store: Send + Sync {
    /// The number of the last event of a chain: taken before a decision about a set is read.
    async fn last_sequence(&self, organization: Option<OrganizationId>) -> Result<u64, StoreError>;

    /// What the snapshot keeps of the deployment as a whole.
    async fn deployment_rows(&self) -> Result<DeploymentRows, StoreError>;
    /// What the snapshot keeps of one organization.
    async fn organization_rows(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<OrganizationRows>, StoreError>;
    /// What the snapshot keeps of these users; those that do not exist are left out.
    async fn members(&self, users: &[UserId]) -> Result<Vec<Member>, StoreError>;
    /// The groups attached to one service.
    async fn attachments(&self, service: ServiceId) -> Result<Vec<Attachment>, StoreError>;
    /// These groups; those that do not exist are left out.
    async fn groups_by_id(&self, groups: &[GroupId]) -> Result<Vec<Group>, StoreError>;
    /// These organizations; those that do not exist are left out.
    async fn organizations_by_id(
        &self,
        organizations: &[OrganizationId],
    ) -> Result<Vec<Organization>, StoreError>;

    /// One user.
    async fn find_user(&self, scope: Scope, key: UserKey) -> Result<Option<User>, StoreError>;
    /// Those of these users that the scope has, in no order.
    async fn users_by_id(&self, scope: Scope, users: &[UserId]) -> Result<Vec<User>, StoreError>;
    /// Users ordered by given name and number, after a place, at most `rows_max`.
    async fn users(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<User>, StoreError>;
    /// What signing in needs of the user of that name; names are compared without case.
    async fn find_credentials(&self, username: &str) -> Result<Option<Credentials>, StoreError>;
    /// The user as whom an outside identity signs in.
    async fn find_outside_identity(&self, issuer: &str, subject: &str) -> Result<Option<UserId>, StoreError>;
    /// The users with that address, compared without case, at most `rows_max`.
    async fn users_with_email(&self, email: &str, rows_max: u32) -> Result<Vec<User>, StoreError>;
    /// Every active member of a group that administers the organization.
    async fn admin_memberships(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<AdminMembership>, StoreError>;

    /// The organization of that name, compared without case.
    async fn find_organization_named(&self, name: &str) -> Result<Option<Organization>, StoreError>;
    /// Organizations ordered by name, after a place (its number is 0), at most `rows_max`.
    async fn organizations(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Organization>, StoreError>;
    /// How many users an organization has.
    async fn users_count(&self, organization: OrganizationId) -> Result<u64, StoreError>;

    /// One group.
    async fn find_group(&self, scope: Scope, key: GroupKey) -> Result<Option<Group>, StoreError>;
    /// Groups ordered by name and number, after a place, at most `rows_max`.
    async fn groups(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Group>, StoreError>;

    /// The invitation with that secret.
    async fn find_invitation(&self, secret: SecretHash) -> Result<Option<Invitation>, StoreError>;
    /// The proof with that secret.
    async fn find_proof(&self, secret: SecretHash) -> Result<Option<Proof>, StoreError>;

    /// Organization types ordered by name, at most `rows_max`.
    async fn organization_types(&self, rows_max: u32) -> Result<Vec<OrganizationType>, StoreError>;
    /// Consortia ordered by name, at most `rows_max`.
    async fn consortia(&self, rows_max: u32) -> Result<Vec<Consortium>, StoreError>;
    /// Partners ordered by name, at most `rows_max`.
    async fn partners(&self, rows_max: u32) -> Result<Vec<Partner>, StoreError>;
}
