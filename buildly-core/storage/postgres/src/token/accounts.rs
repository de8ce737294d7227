//! Service accounts and their API keys.

use buildly_auth::token::{ApiKey, ServiceAccount};
use buildly_model::{GroupId, OrganizationId, ServiceAccountId, StoreError, Timestamp, TokenId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::column::{self, execute, list, micros, uuid};
use crate::engine::unique;

const CREATE: &str = "
    INSERT INTO service_account (id, organization_id, name, description, is_active, created_at)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

pub(super) async fn create(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    account: &ServiceAccount,
) -> Result<(), StoreError> {
    let create = sqlx::query(CREATE)
        .bind(account.id.as_uuid())
        .bind(uuid(organization))
        .bind(&account.name)
        .bind(&account.description)
        .bind(account.is_active)
        .bind(account.created_at.as_microseconds());
    if execute(tx, create).await? == 0 {
        return Err(StoreError::Taken { field: "name" });
    }
    put_groups(tx, organization, account).await
}

/// What is read after it, nobody else changes meanwhile.
const LOCK: &str = "SELECT 1 FROM service_account WHERE organization_id = $1 AND id = $2 FOR UPDATE";
const UPDATE: &str = "
    UPDATE service_account SET name = $3, description = $4, is_active = $5
    WHERE organization_id = $1 AND id = $2";

pub(super) async fn update(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    before: &ServiceAccount,
    after: &ServiceAccount,
) -> Result<(), StoreError> {
    let missing = || StoreError::Missing { what: "service account" };
    execute(tx, sqlx::query(LOCK).bind(uuid(organization)).bind(after.id.as_uuid())).await?;
    let stored = find(tx, organization.ok_or_else(missing)?, after.id).await?.ok_or_else(missing)?;
    if !stored.is_as_in(before) {
        return Err(StoreError::Stale);
    }
    let update = sqlx::query(UPDATE)
        .bind(uuid(organization))
        .bind(after.id.as_uuid())
        .bind(&after.name)
        .bind(&after.description)
        .bind(after.is_active);
    let done = update.execute(&mut *tx).await;
    done.map_err(|error| unique(error, &[("service_account_name", "name")]))?;
    put_groups(tx, organization, after).await
}

const CLEAR_GROUPS: &str =
    "DELETE FROM service_account_group WHERE organization_id = $1 AND service_account_id = $2";
const PUT_GROUPS: &str = "
    INSERT INTO service_account_group (organization_id, service_account_id, group_id)
    SELECT $1, $2, * FROM UNNEST($3::uuid[]) ON CONFLICT DO NOTHING";

async fn put_groups(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    account: &ServiceAccount,
) -> Result<(), StoreError> {
    let (tenant, id) = (uuid(organization), account.id.as_uuid());
    let groups: Vec<uuid::Uuid> = account.groups.iter().map(GroupId::as_uuid).collect();
    execute(tx, sqlx::query(CLEAR_GROUPS).bind(tenant).bind(id)).await?;
    execute(tx, sqlx::query(PUT_GROUPS).bind(tenant).bind(id).bind(groups)).await.map(drop)
}

const DELETE_KEYS: &str = "DELETE FROM api_key WHERE organization_id = $1 AND service_account_id = $2";
const DELETE: &str = "DELETE FROM service_account WHERE organization_id = $1 AND id = $2";

pub(super) async fn delete(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    account: ServiceAccountId,
) -> Result<(), StoreError> {
    let (tenant, id) = (uuid(organization), account.as_uuid());
    for sql in [DELETE_KEYS, CLEAR_GROUPS] {
        execute(tx, sqlx::query(sql).bind(tenant).bind(id)).await?;
    }
    match execute(tx, sqlx::query(DELETE).bind(tenant).bind(id)).await? {
        0 => Err(StoreError::Missing { what: "service account" }),
        _ => Ok(()),
    }
}

// The account is locked, so that it does not go away while it gets a key.
const CREATE_KEY: &str = "
    INSERT INTO api_key (id, organization_id, service_account_id, name, secret, created_at, expires_at,
        last_used_at)
    SELECT $1, a.organization_id, a.id, $4, $5, $6, $7, $8 FROM service_account a
    WHERE a.organization_id = $2 AND a.id = $3 FOR UPDATE";

pub(super) async fn create_key(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    account: ServiceAccountId,
    key: &ApiKey,
) -> Result<(), StoreError> {
    let create = sqlx::query(CREATE_KEY)
        .bind(key.id.as_uuid())
        .bind(uuid(organization))
        .bind(account.as_uuid())
        .bind(&key.name)
        .bind(key.secret.as_bytes().as_slice())
        .bind(key.created_at.as_microseconds())
        .bind(micros(key.expires_at))
        .bind(micros(key.last_used_at));
    match execute(tx, create).await? {
        0 => Err(StoreError::Missing { what: "service account" }),
        _ => Ok(()),
    }
}

const DELETE_KEY: &str =
    "DELETE FROM api_key WHERE organization_id = $1 AND service_account_id = $2 AND id = $3";

pub(super) async fn delete_key(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    account: ServiceAccountId,
    key: TokenId,
) -> Result<(), StoreError> {
    let delete = sqlx::query(DELETE_KEY).bind(uuid(organization)).bind(account.as_uuid()).bind(key.as_uuid());
    match execute(tx, delete).await? {
        0 => Err(StoreError::Missing { what: "API key" }),
        _ => Ok(()),
    }
}

const NOTE_USE: &str = "
    UPDATE api_key SET last_used_at = GREATEST(last_used_at, $2) WHERE id = $1";

pub(super) async fn note_use(tx: &mut PgConnection, used: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
    for (key, at) in used {
        execute(tx, sqlx::query(NOTE_USE).bind(key.as_uuid()).bind(at.as_microseconds())).await?;
    }
    Ok(())
}

const ALL: &str = "
    SELECT id, organization_id, name, description, is_active, created_at FROM service_account ORDER BY id";
const ONE: &str = "
    SELECT id, organization_id, name, description, is_active, created_at FROM service_account
    WHERE organization_id = $1 AND id = $2";
const GROUPS: &str = "
    SELECT group_id FROM service_account_group
    WHERE organization_id = $1 AND service_account_id = $2 ORDER BY group_id";
const KEYS: &str = "
    SELECT id, name, secret, created_at, expires_at, last_used_at FROM api_key
    WHERE organization_id = $1 AND service_account_id = $2 ORDER BY id";

pub(super) async fn all(tx: &mut PgConnection) -> Result<Vec<ServiceAccount>, StoreError> {
    let mut all = Vec::new();
    for found in list(tx, sqlx::query(ALL), account).await? {
        all.push(with_parts(tx, found).await?);
    }
    Ok(all)
}

pub(super) async fn find(
    tx: &mut PgConnection,
    organization: OrganizationId,
    id: ServiceAccountId,
) -> Result<Option<ServiceAccount>, StoreError> {
    let one = sqlx::query(ONE).bind(organization.as_uuid()).bind(id.as_uuid());
    match list(tx, one, account).await?.pop() {
        Some(found) => with_parts(tx, found).await.map(Some),
        None => Ok(None),
    }
}

fn account(row: &PgRow) -> sqlx::Result<ServiceAccount> {
    Ok(ServiceAccount {
        id: column::id(row, 0)?,
        organization: column::id(row, 1)?,
        name: row.try_get(2)?,
        description: row.try_get(3)?,
        is_active: row.try_get(4)?,
        groups: Vec::new(),
        keys: Vec::new(),
        created_at: column::at(row, 5)?,
    })
}

async fn with_parts(tx: &mut PgConnection, account: ServiceAccount) -> Result<ServiceAccount, StoreError> {
    let (tenant, id) = (account.organization.as_uuid(), account.id.as_uuid());
    let groups = list(tx, sqlx::query(GROUPS).bind(tenant).bind(id), |row| column::id(row, 0)).await?;
    let keys = list(tx, sqlx::query(KEYS).bind(tenant).bind(id), api_key).await?;
    Ok(ServiceAccount { groups, keys, ..account })
}

fn api_key(row: &PgRow) -> sqlx::Result<ApiKey> {
    Ok(ApiKey {
        id: column::id(row, 0)?,
        name: row.try_get(1)?,
        secret: column::hash(row, 2)?,
        created_at: column::at(row, 3)?,
        expires_at: column::optional_at(row, 4)?,
        last_used_at: column::optional_at(row, 5)?,
    })
}
