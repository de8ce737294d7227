//! The SQL of identity.

use buildly_auth::identity::{
    AdminMembership, Attachment, Change, Consortium, Credentials, DeploymentRows, Group, GroupKey,
    Invitation, Member, Organization, OrganizationRows, OrganizationType, Partner, Proof, Scope, SecretHash,
    User, UserKey,
};
use buildly_model::{GroupId, OrganizationId, ServiceId, StoreError, UserId};
use sqlx::PgConnection;

use crate::Postgres;

/// Applies one change inside the unit's transaction.
#[expect(dead_code, reason = "called by the committer")]
pub(crate) async fn apply(
    _tx: &mut PgConnection,
    _organization: Option<OrganizationId>,
    _change: &Change,
) -> Result<(), StoreError> {
    Err(empty())
}

fn empty() -> StoreError {
    StoreError::corrupt("the room of identity's SQL is still empty")
}

#[async_trait::async_trait]
impl buildly_auth::identity::Store for Postgres {
    async fn last_sequence(&self, _organization: Option<OrganizationId>) -> Result<u64, StoreError> {
        Err(empty())
    }
    async fn deployment_rows(&self) -> Result<DeploymentRows, StoreError> {
        Err(empty())
    }
    async fn organization_rows(
        &self,
        _organization: OrganizationId,
    ) -> Result<Option<OrganizationRows>, StoreError> {
        Err(empty())
    }
    async fn members(&self, _users: &[UserId]) -> Result<Vec<Member>, StoreError> {
        Err(empty())
    }
    async fn attachments(&self, _service: ServiceId) -> Result<Vec<Attachment>, StoreError> {
        Err(empty())
    }
    async fn groups_by_id(&self, _groups: &[GroupId]) -> Result<Vec<Group>, StoreError> {
        Err(empty())
    }
    async fn organizations_by_id(
        &self,
        _organizations: &[OrganizationId],
    ) -> Result<Vec<Organization>, StoreError> {
        Err(empty())
    }
    async fn find_user(&self, _scope: Scope, _key: UserKey) -> Result<Option<User>, StoreError> {
        Err(empty())
    }
    async fn users(&self, _scope: Scope, _rows_max: u32) -> Result<Vec<User>, StoreError> {
        Err(empty())
    }
    async fn find_credentials(&self, _username: &str) -> Result<Option<Credentials>, StoreError> {
        Err(empty())
    }
    async fn users_with_email(&self, _email: &str, _rows_max: u32) -> Result<Vec<User>, StoreError> {
        Err(empty())
    }
    async fn admin_memberships(
        &self,
        _organization: OrganizationId,
    ) -> Result<Vec<AdminMembership>, StoreError> {
        Err(empty())
    }
    async fn find_organization_named(&self, _name: &str) -> Result<Option<Organization>, StoreError> {
        Err(empty())
    }
    async fn organizations(&self, _scope: Scope, _rows_max: u32) -> Result<Vec<Organization>, StoreError> {
        Err(empty())
    }
    async fn users_count(&self, _organization: OrganizationId) -> Result<u64, StoreError> {
        Err(empty())
    }
    async fn find_group(&self, _scope: Scope, _key: GroupKey) -> Result<Option<Group>, StoreError> {
        Err(empty())
    }
    async fn groups(&self, _scope: Scope, _rows_max: u32) -> Result<Vec<Group>, StoreError> {
        Err(empty())
    }
    async fn find_invitation(&self, _secret: SecretHash) -> Result<Option<Invitation>, StoreError> {
        Err(empty())
    }
    async fn find_proof(&self, _secret: SecretHash) -> Result<Option<Proof>, StoreError> {
        Err(empty())
    }
    async fn organization_types(&self, _rows_max: u32) -> Result<Vec<OrganizationType>, StoreError> {
        Err(empty())
    }
    async fn consortia(&self, _rows_max: u32) -> Result<Vec<Consortium>, StoreError> {
        Err(empty())
    }
    async fn partners(&self, _rows_max: u32) -> Result<Vec<Partner>, StoreError> {
        Err(empty())
    }
}
