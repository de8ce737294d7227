//! The SQL of identity: one file a table, or a few small ones together.

mod account;
mod column;
mod directory;
mod group;
mod one_time;
mod organization;
mod outside;
mod read;
mod user;

use buildly_auth::identity::Change;
use buildly_model::{OrganizationId, StoreError};
use sqlx::PgConnection;

/// Applies one change inside the unit's transaction.
pub(crate) async fn apply(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::OrganizationCreated(row) => organization::create(tx, row).await,
        Change::OrganizationUpdated(row) => organization::update(tx, row).await,
        Change::OrganizationDeleted(id) => organization::delete(tx, *id).await,
        Change::UserCreated { user, password_hash } => account::create(tx, user, password_hash).await,
        Change::UserUpdated(user) => account::update(tx, organization, user).await,
        Change::PasswordSet { user, password_hash, at } => {
            account::set_password(tx, organization, *user, password_hash, *at).await
        }
        Change::PasswordRehashed { user, credential_version, password_hash } => {
            account::rehash(tx, organization, *user, *credential_version, password_hash).await
        }
        Change::OutsideIdentityLinked { issuer, subject, user, at } => {
            outside::link(tx, issuer, subject, *user, *at).await
        }
        Change::UserDeleted(user) => account::delete(tx, organization, *user).await,
        Change::GroupCreated(row) => group::create(tx, row).await,
        Change::GroupUpdated(row) => group::update(tx, organization, row).await,
        Change::GroupDeleted(id) => group::delete(tx, organization, *id).await,
        Change::InvitationCreated(row) => one_time::create_invitation(tx, row).await,
        Change::InvitationUsed { invitation, at } => {
            one_time::use_invitation(tx, organization, *invitation, *at).await
        }
        Change::ProofCreated(row) => one_time::create_proof(tx, row).await,
        Change::ProofUsed { secret, purpose, at } => {
            one_time::use_proof(tx, organization, *secret, *purpose, *at).await
        }
        Change::ProofsForgotten(user) => one_time::forget_proofs(tx, organization, *user).await,
        Change::OrganizationTypeCreated(row) => directory::create_type(tx, row).await,
        Change::OrganizationTypeUpdated(row) => directory::update_type(tx, row).await,
        Change::OrganizationTypeDeleted(number) => directory::delete_type(tx, *number).await,
        Change::ConsortiumSaved(row) => directory::save_consortium(tx, row).await,
        Change::ConsortiumDeleted(id) => directory::delete_consortium(tx, *id).await,
        Change::PartnerSaved(row) => directory::save_partner(tx, row).await,
        Change::PartnerDeleted(id) => directory::delete_partner(tx, *id).await,
        Change::ServiceGroupsSet { service, groups } => group::attach(tx, *service, groups).await,
    }
}
