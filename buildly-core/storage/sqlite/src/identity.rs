//! The SQL of identity: one file a table, or a few small ones together.

mod account;
mod column;
mod directory;
mod group;
mod one_time;
mod organization;
mod outside;

use async_trait::async_trait;
use buildly_auth::identity::{
    AdminMembership, Attachment, Change, Consortium, Credentials, DeploymentRows, Group, GroupKey,
    Invitation, Member, Organization, OrganizationRows, OrganizationType, Partner, Place, Proof, Scope,
    SecretHash, User, UserKey,
};
use buildly_model::{GroupId, OrganizationId, ServiceId, StoreError, UserId};
use rusqlite::Connection;

use crate::{Sqlite, journal};

/// Applies one change inside the unit's transaction.
pub(crate) fn apply(
    tx: &Connection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::OrganizationCreated(row) => organization::create(tx, row),
        Change::OrganizationUpdated(row) => organization::update(tx, row),
        Change::OrganizationDeleted(id) => organization::delete(tx, *id),
        Change::UserCreated { user, password_hash } => account::create(tx, user, password_hash),
        Change::UserUpdated(user) => account::update(tx, organization, user),
        Change::PasswordSet { user, password_hash, at } => {
            account::set_password(tx, organization, *user, password_hash, *at)
        }
        Change::PasswordRehashed { user, credential_version, password_hash } => {
            account::rehash(tx, organization, *user, *credential_version, password_hash)
        }
        Change::OutsideIdentityLinked { issuer, subject, user, at } => {
            outside::link(tx, issuer, subject, *user, *at)
        }
        Change::UserDeleted(user) => account::delete(tx, organization, *user),
        Change::GroupCreated(row) => group::create(tx, row),
        Change::GroupUpdated(row) => group::update(tx, organization, row),
        Change::GroupDeleted(id) => group::delete(tx, organization, *id),
        Change::InvitationCreated(row) => one_time::create_invitation(tx, row),
        Change::InvitationUsed { invitation, at } => {
            one_time::use_invitation(tx, organization, *invitation, *at)
        }
        Change::ProofCreated(row) => one_time::create_proof(tx, row),
        Change::ProofUsed { secret, purpose, at } => {
            one_time::use_proof(tx, organization, *secret, *purpose, *at)
        }
        Change::ProofsForgotten(user) => one_time::forget_proofs(tx, organization, *user),
        Change::OrganizationTypeCreated(row) => directory::create_type(tx, row),
        Change::OrganizationTypeUpdated(row) => directory::update_type(tx, row),
        Change::OrganizationTypeDeleted(number) => directory::delete_type(tx, *number),
        Change::ConsortiumSaved(row) => directory::save_consortium(tx, row),
        Change::ConsortiumDeleted(id) => directory::delete_consortium(tx, *id),
        Change::PartnerSaved(row) => directory::save_partner(tx, row),
        Change::PartnerDeleted(id) => directory::delete_partner(tx, *id),
        Change::ServiceGroupsSet { service, groups } => group::attach(tx, *service, groups),
    }
}

fn deployment_rows(tx: &Connection) -> Result<DeploymentRows, StoreError> {
    Ok(DeploymentRows {
        groups: group::of(tx, None)?,
        attachments: group::attachments(tx, None)?,
        members: account::members_of(tx, None)?,
    })
}

fn organization_rows(tx: &Connection, id: OrganizationId) -> Result<Option<OrganizationRows>, StoreError> {
    let Some(organization) = organization::by_id(tx, &[id])?.into_iter().next() else { return Ok(None) };
    let (groups, members) = (group::of(tx, Some(id))?, account::members_of(tx, Some(id))?);
    Ok(Some(OrganizationRows { organization, groups, members }))
}

#[async_trait]
impl buildly_auth::identity::Store for Sqlite {
    async fn last_sequence(&self, organization: Option<OrganizationId>) -> Result<u64, StoreError> {
        self.engine.read(move |tx| Ok(journal::head(tx, organization)?.sequence)).await
    }

    async fn deployment_rows(&self) -> Result<DeploymentRows, StoreError> {
        self.engine.read(deployment_rows).await
    }

    async fn organization_rows(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<OrganizationRows>, StoreError> {
        self.engine.read(move |tx| organization_rows(tx, organization)).await
    }

    async fn members(&self, users: &[UserId]) -> Result<Vec<Member>, StoreError> {
        let users = users.to_vec();
        self.engine.read(move |tx| account::members(tx, &users)).await
    }

    async fn attachments(&self, service: ServiceId) -> Result<Vec<Attachment>, StoreError> {
        self.engine.read(move |tx| group::attachments(tx, Some(service))).await
    }

    async fn groups_by_id(&self, groups: &[GroupId]) -> Result<Vec<Group>, StoreError> {
        let groups = groups.to_vec();
        self.engine.read(move |tx| group::by_id(tx, &groups)).await
    }

    async fn organizations_by_id(&self, ids: &[OrganizationId]) -> Result<Vec<Organization>, StoreError> {
        let ids = ids.to_vec();
        self.engine.read(move |tx| organization::by_id(tx, &ids)).await
    }

    async fn find_user(&self, scope: Scope, key: UserKey) -> Result<Option<User>, StoreError> {
        self.engine.read(move |tx| account::find(tx, scope, key)).await
    }

    async fn users_by_id(&self, scope: Scope, users: &[UserId]) -> Result<Vec<User>, StoreError> {
        let users = users.to_vec();
        self.engine.read(move |tx| account::by_id(tx, scope, &users)).await
    }

    async fn users(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<User>, StoreError> {
        let after = after.cloned();
        self.engine.read(move |tx| account::list(tx, scope, after.as_ref(), rows_max)).await
    }

    async fn find_credentials(&self, username: &str) -> Result<Option<Credentials>, StoreError> {
        let username = username.to_owned();
        self.engine.read(move |tx| account::credentials(tx, &username)).await
    }

    async fn find_outside_identity(&self, issuer: &str, subject: &str) -> Result<Option<UserId>, StoreError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.engine.read(move |tx| outside::find(tx, &issuer, &subject)).await
    }

    async fn users_with_email(&self, email: &str, rows_max: u32) -> Result<Vec<User>, StoreError> {
        let email = email.to_owned();
        self.engine.read(move |tx| account::with_email(tx, &email, rows_max)).await
    }

    async fn admin_memberships(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<AdminMembership>, StoreError> {
        self.engine.read(move |tx| account::admin_memberships(tx, organization)).await
    }

    async fn find_organization_named(&self, name: &str) -> Result<Option<Organization>, StoreError> {
        let name = name.to_owned();
        self.engine.read(move |tx| organization::named(tx, &name)).await
    }

    async fn organizations(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Organization>, StoreError> {
        let after = after.cloned();
        self.engine.read(move |tx| organization::list(tx, scope, after.as_ref(), rows_max)).await
    }

    async fn users_count(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        self.engine.read(move |tx| account::count(tx, organization)).await
    }

    async fn find_group(&self, scope: Scope, key: GroupKey) -> Result<Option<Group>, StoreError> {
        self.engine.read(move |tx| group::find(tx, scope, key)).await
    }

    async fn groups(
        &self,
        scope: Scope,
        after: Option<&Place>,
        rows_max: u32,
    ) -> Result<Vec<Group>, StoreError> {
        let after = after.cloned();
        self.engine.read(move |tx| group::list(tx, scope, after.as_ref(), rows_max)).await
    }

    async fn find_invitation(&self, secret: SecretHash) -> Result<Option<Invitation>, StoreError> {
        self.engine.read(move |tx| one_time::invitation(tx, secret)).await
    }

    async fn find_proof(&self, secret: SecretHash) -> Result<Option<Proof>, StoreError> {
        self.engine.read(move |tx| one_time::proof(tx, secret)).await
    }

    async fn organization_types(&self, rows_max: u32) -> Result<Vec<OrganizationType>, StoreError> {
        self.engine.read(move |tx| directory::types(tx, rows_max)).await
    }

    async fn consortia(&self, rows_max: u32) -> Result<Vec<Consortium>, StoreError> {
        self.engine.read(move |tx| directory::consortia(tx, rows_max)).await
    }

    async fn partners(&self, rows_max: u32) -> Result<Vec<Partner>, StoreError> {
        self.engine.read(move |tx| directory::partners(tx, rows_max)).await
    }
}
