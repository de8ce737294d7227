//! Writing users and their memberships.

use buildly_auth::identity::user::comparison_key;
use buildly_auth::identity::{PasswordHash, User};
use buildly_model::{GroupId, OrganizationId, StoreError, Timestamp, UserId};
use sqlx::PgConnection;

use super::column::{bigint, found, fresh, refusal, to_json, uuid};
use crate::engine::store_error;

const INSERT: &str = "
    INSERT INTO account (id, organization_id, username, username_key, email, email_key, email_verified,
        first_name, last_name, is_active, is_superuser, password_hash, credential_version, profile,
        version, created_at, edited_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

pub(super) async fn create(
    tx: &mut PgConnection,
    user: &User,
    password: &PasswordHash,
) -> Result<(), StoreError> {
    let query = sqlx::query(INSERT)
        .bind(user.id.as_uuid())
        .bind(uuid(user.organization))
        .bind(&user.username)
        .bind(comparison_key(&user.username))
        .bind(&user.email)
        .bind(comparison_key(&user.email))
        .bind(user.email_verified)
        .bind(&user.first_name)
        .bind(&user.last_name)
        .bind(user.is_active)
        .bind(user.is_superuser)
        .bind(password.as_phc())
        .bind(bigint(user.credential_version))
        .bind(to_json(&user.profile)?)
        .bind(bigint(user.version))
        .bind(user.created_at.as_microseconds())
        .bind(user.edited_at.as_microseconds());
    query.execute(&mut *tx).await.map_err(refusal)?;
    add_memberships(tx, user).await
}

const UPDATE: &str = "
    UPDATE account SET organization_id = $1, username = $2, username_key = $3, email = $4, email_key = $5,
        email_verified = $6, first_name = $7, last_name = $8, is_active = $9, is_superuser = $10,
        profile = $11, edited_at = $12, version = version + 1
    WHERE id = $13 AND organization_id IS NOT DISTINCT FROM $14 AND version = $15";
const DELETE_MEMBERSHIPS: &str = "DELETE FROM membership WHERE account_id = $1";

pub(super) async fn update(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    user: &User,
) -> Result<(), StoreError> {
    let query = sqlx::query(UPDATE)
        .bind(uuid(user.organization))
        .bind(&user.username)
        .bind(comparison_key(&user.username))
        .bind(&user.email)
        .bind(comparison_key(&user.email))
        .bind(user.email_verified)
        .bind(&user.first_name)
        .bind(&user.last_name)
        .bind(user.is_active)
        .bind(user.is_superuser)
        .bind(to_json(&user.profile)?)
        .bind(user.edited_at.as_microseconds())
        .bind(user.id.as_uuid())
        .bind(uuid(organization))
        .bind(bigint(user.version));
    fresh(&query.execute(&mut *tx).await.map_err(refusal)?)?;
    let query = sqlx::query(DELETE_MEMBERSHIPS).bind(user.id.as_uuid());
    query.execute(&mut *tx).await.map_err(store_error)?;
    add_memberships(tx, user).await
}

const ADD_MEMBERSHIPS: &str = "
    INSERT INTO membership (account_id, group_id, organization_id)
    SELECT $1, id, $3 FROM user_group
    WHERE id = ANY ($2) AND (organization_id IS NOT DISTINCT FROM $3 OR organization_id IS NULL)";

/// A group of another organization counts as missing.
async fn add_memberships(tx: &mut PgConnection, user: &User) -> Result<(), StoreError> {
    let groups: Vec<_> = user.groups.iter().map(GroupId::as_uuid).collect();
    let query =
        sqlx::query(ADD_MEMBERSHIPS).bind(user.id.as_uuid()).bind(&groups).bind(uuid(user.organization));
    let added = query.execute(&mut *tx).await.map_err(refusal)?.rows_affected();
    if added == groups.len() as u64 { Ok(()) } else { Err(StoreError::Missing { what: "group" }) }
}

const SET_PASSWORD: &str = "
    UPDATE account SET password_hash = $1, credential_version = credential_version + 1, edited_at = $2
    WHERE id = $3 AND organization_id IS NOT DISTINCT FROM $4";
const DELETE_RESETS: &str = "
    DELETE FROM proof WHERE account_id = $1 AND purpose = 'password_reset' AND used_at IS NULL";

pub(super) async fn set_password(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    user: UserId,
    password: &PasswordHash,
    at: Timestamp,
) -> Result<(), StoreError> {
    let query = sqlx::query(SET_PASSWORD)
        .bind(password.as_phc())
        .bind(at.as_microseconds())
        .bind(user.as_uuid())
        .bind(uuid(organization));
    found(&query.execute(&mut *tx).await.map_err(store_error)?, "user")?;
    sqlx::query(DELETE_RESETS).bind(user.as_uuid()).execute(&mut *tx).await.map_err(store_error)?;
    Ok(())
}

const REHASH: &str = "
    UPDATE account SET password_hash = $1
    WHERE id = $2 AND organization_id IS NOT DISTINCT FROM $3 AND credential_version = $4";

pub(super) async fn rehash(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    user: UserId,
    credential_version: u64,
    password: &PasswordHash,
) -> Result<(), StoreError> {
    let query = sqlx::query(REHASH)
        .bind(password.as_phc())
        .bind(user.as_uuid())
        .bind(uuid(organization))
        .bind(bigint(credential_version));
    query.execute(tx).await.map(drop).map_err(store_error)
}

const DELETE_PROOFS: &str = "DELETE FROM proof WHERE account_id = $1";
const DELETE: &str = "DELETE FROM account WHERE id = $1 AND organization_id IS NOT DISTINCT FROM $2";

pub(super) async fn delete(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    user: UserId,
) -> Result<(), StoreError> {
    for sql in [DELETE_MEMBERSHIPS, DELETE_PROOFS] {
        sqlx::query(sql).bind(user.as_uuid()).execute(&mut *tx).await.map_err(store_error)?;
    }
    let query = sqlx::query(DELETE).bind(user.as_uuid()).bind(uuid(organization));
    found(&query.execute(&mut *tx).await.map_err(refusal)?, "user")
}
