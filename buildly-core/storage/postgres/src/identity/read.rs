//! Reading what identity remembers.

use async_trait::async_trait;
use buildly_auth::identity::{
    AdminMembership, Attachment, Consortium, Credentials, DeploymentRows, Group, GroupKey, Invitation,
    Member, Organization, OrganizationRows, OrganizationType, Partner, Place, Proof, Scope, SecretHash, User,
    UserKey,
};
use buildly_model::{GroupId, OrganizationId, ServiceId, StoreError, UserId};
use sqlx::PgConnection;
use sqlx::pool::PoolConnection;
use uuid::Uuid;

use super::{column, directory, group, one_time, organization, outside, user};
use crate::Postgres;
use crate::engine::{in_time, store_error};

const LAST_SEQUENCE: &str = "SELECT sequence FROM journal_head WHERE organization_id = $1";

/// The nil UUID stands for the deployment's own chain.
async fn last_sequence(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
) -> Result<u64, StoreError> {
    let chain = organization.map_or(Uuid::nil(), |organization| organization.as_uuid());
    let row = sqlx::query(LAST_SEQUENCE).bind(chain).fetch_optional(tx).await.map_err(store_error)?;
    row.map_or(Ok(0), |row| column::count(&row, "sequence").map_err(store_error))
}

/// All reads of one transaction see the same state.
const ONE_STATE: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

async fn deployment_rows(storage: &Postgres) -> Result<DeploymentRows, StoreError> {
    let mut tx = storage.engine.pool().begin().await.map_err(store_error)?;
    sqlx::query(ONE_STATE).execute(&mut *tx).await.map_err(store_error)?;
    let rows = DeploymentRows {
        groups: group::of(&mut tx, None).await?,
        attachments: group::attachments(&mut tx, None).await?,
        members: user::members_of(&mut tx, None).await?,
    };
    tx.commit().await.map_err(store_error)?;
    Ok(rows)
}

async fn organization_rows(
    storage: &Postgres,
    id: OrganizationId,
) -> Result<Option<OrganizationRows>, StoreError> {
    let mut tx = storage.engine.pool().begin().await.map_err(store_error)?;
    sqlx::query(ONE_STATE).execute(&mut *tx).await.map_err(store_error)?;
    let found = organization::by_id(&mut tx, &[id]).await?.into_iter().next();
    let Some(organization) = found else { return Ok(None) };
    let rows = OrganizationRows {
        organization,
        groups: group::of(&mut tx, Some(id)).await?,
        members: user::members_of(&mut tx, Some(id)).await?,
    };
    tx.commit().await.map_err(store_error)?;
    Ok(Some(rows))
}

impl Postgres {
    async fn connection(&self) -> Result<PoolConnection<sqlx::Postgres>, StoreError> {
        self.engine.pool().acquire().await.map_err(store_error)
    }
}

#[async_trait]
impl buildly_auth::identity::Store for Postgres {
    async fn last_sequence(&self, organization: Option<OrganizationId>) -> Result<u64, StoreError> {
        in_time(async { last_sequence(&mut *self.connection().await?, organization).await }).await
    }

    async fn deployment_rows(&self) -> Result<DeploymentRows, StoreError> {
        in_time(deployment_rows(self)).await
    }

    async fn organization_rows(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<OrganizationRows>, StoreError> {
        in_time(organization_rows(self, organization)).await
    }

    async fn members(&self, users: &[UserId]) -> Result<Vec<Member>, StoreError> {
        in_time(async { user::members(&mut *self.connection().await?, users).await }).await
    }

    async fn attachments(&self, service: ServiceId) -> Result<Vec<Attachment>, StoreError> {
        in_time(async { group::attachments(&mut *self.connection().await?, Some(service)).await }).await
    }

    async fn groups_by_id(&self, groups: &[GroupId]) -> Result<Vec<Group>, StoreError> {
        in_time(async { group::by_id(&mut *self.connection().await?, groups).await }).await
    }

    async fn organizations_by_id(&self, ids: &[OrganizationId]) -> Result<Vec<Organization>, StoreError> {
        in_time(async { organization::by_id(&mut *self.connection().await?, ids).await }).await
    }

    async fn find_user(&self, scope: Scope, key: UserKey) -> Result<Option<User>, StoreError> {
        in_time(async { user::find(&mut *self.connection().await?, scope, key).await }).await
    }

    async fn users_by_id(&self, scope: Scope, users: &[UserId]) -> Result<Vec<User>, StoreError> {
        in_time(async { user::by_id(&mut *self.connection().await?, scope, users).await }).await
    }

    async fn users(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<User>, StoreError> {
        in_time(async { user::list(&mut *self.connection().await?, scope, after, rows_max).await }).await
    }

    async fn find_credentials(&self, username: &str) -> Result<Option<Credentials>, StoreError> {
        in_time(async { user::credentials(&mut *self.connection().await?, username).await }).await
    }

    async fn find_outside_identity(&self, issuer: &str, subject: &str) -> Result<Option<UserId>, StoreError> {
        in_time(async { outside::find(&mut *self.connection().await?, issuer, subject).await }).await
    }

    async fn users_with_email(&self, email: &str, rows_max: u32) -> Result<Vec<User>, StoreError> {
        in_time(async { user::with_email(&mut *self.connection().await?, email, rows_max).await }).await
    }

    async fn admin_memberships(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<AdminMembership>, StoreError> {
        in_time(async { user::admin_memberships(&mut *self.connection().await?, organization).await }).await
    }

    async fn find_organization_named(&self, name: &str) -> Result<Option<Organization>, StoreError> {
        in_time(async { organization::named(&mut *self.connection().await?, name).await }).await
    }

    async fn organizations(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Organization>, StoreError> {
        in_time(async { organization::list(&mut *self.connection().await?, scope, after, rows_max).await })
            .await
    }

    async fn users_count(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        in_time(async { user::users_count(&mut *self.connection().await?, organization).await }).await
    }

    async fn find_group(&self, scope: Scope, key: GroupKey) -> Result<Option<Group>, StoreError> {
        in_time(async { group::find(&mut *self.connection().await?, scope, key).await }).await
    }

    async fn groups(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Group>, StoreError> {
        in_time(async { group::list(&mut *self.connection().await?, scope, after, rows_max).await }).await
    }

    async fn find_invitation(&self, secret: SecretHash) -> Result<Option<Invitation>, StoreError> {
        in_time(async { one_time::invitation(&mut *self.connection().await?, secret).await }).await
    }

    async fn find_proof(&self, secret: SecretHash) -> Result<Option<Proof>, StoreError> {
        in_time(async { one_time::proof(&mut *self.connection().await?, secret).await }).await
    }

    async fn organization_types(&self, rows_max: u32) -> Result<Vec<OrganizationType>, StoreError> {
        in_time(async { directory::types(&mut *self.connection().await?, rows_max).await }).await
    }

    async fn consortia(&self, rows_max: u32) -> Result<Vec<Consortium>, StoreError> {
        in_time(async { directory::consortia(&mut *self.connection().await?, rows_max).await }).await
    }

    async fn partners(&self, rows_max: u32) -> Result<Vec<Partner>, StoreError> {
        in_time(async { directory::partners(&mut *self.connection().await?, rows_max).await }).await
    }
}
