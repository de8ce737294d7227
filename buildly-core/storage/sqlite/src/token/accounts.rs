//! Service accounts and their API keys.

use buildly_auth::token::{ApiKey, ServiceAccount};
use buildly_model::{GroupId, OrganizationId, ServiceAccountId, StoreError, Timestamp, TokenId};
use rusqlite::{Connection, Row, params};

use super::row::{self, execute, list, micros, text};

const CREATE: &str = "
    INSERT INTO service_account (id, organization_id, name, description, is_active, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";

pub(super) fn create(
    tx: &Connection,
    organization: Option<OrganizationId>,
    account: &ServiceAccount,
) -> Result<(), StoreError> {
    let values = params![
        account.id.to_string(),
        text(organization),
        account.name,
        account.description,
        account.is_active,
        account.created_at.as_microseconds(),
    ];
    if execute(tx, CREATE, values)? == 0 {
        return Err(StoreError::Taken { field: "name" });
    }
    put_groups(tx, organization, account)
}

const EXISTS: &str = "SELECT 1 FROM service_account WHERE organization_id IS ?1 AND id = ?2";
const UPDATE: &str = "
    UPDATE OR IGNORE service_account SET name = ?3, description = ?4, is_active = ?5
    WHERE organization_id IS ?1 AND id = ?2";

pub(super) fn update(
    tx: &Connection,
    organization: Option<OrganizationId>,
    before: &ServiceAccount,
    after: &ServiceAccount,
) -> Result<(), StoreError> {
    let missing = || StoreError::Missing { what: "service account" };
    let stored = find(tx, organization.ok_or_else(missing)?, after.id)?.ok_or_else(missing)?;
    if !stored.is_as_in(before) {
        return Err(StoreError::Stale);
    }
    let (tenant, id) = (text(organization), after.id.to_string());
    let values = params![tenant, id, after.name, after.description, after.is_active];
    if execute(tx, UPDATE, values)? == 0 {
        return Err(StoreError::Taken { field: "name" });
    }
    put_groups(tx, organization, after)
}

const CLEAR_GROUPS: &str =
    "DELETE FROM service_account_group WHERE organization_id IS ?1 AND service_account_id = ?2";
const PUT_GROUP: &str = "
    INSERT INTO service_account_group (organization_id, service_account_id, group_id)
    VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";

fn put_groups(
    tx: &Connection,
    organization: Option<OrganizationId>,
    account: &ServiceAccount,
) -> Result<(), StoreError> {
    let (tenant, id) = (text(organization), account.id.to_string());
    execute(tx, CLEAR_GROUPS, params![tenant, id])?;
    for group in &account.groups {
        execute(tx, PUT_GROUP, params![tenant, id, group.to_string()])?;
    }
    Ok(())
}

const DELETE_KEYS: &str = "DELETE FROM api_key WHERE organization_id IS ?1 AND service_account_id = ?2";
const DELETE: &str = "DELETE FROM service_account WHERE organization_id IS ?1 AND id = ?2";

pub(super) fn delete(
    tx: &Connection,
    organization: Option<OrganizationId>,
    account: ServiceAccountId,
) -> Result<(), StoreError> {
    let values = params![text(organization), account.to_string()];
    for sql in [DELETE_KEYS, CLEAR_GROUPS] {
        execute(tx, sql, values)?;
    }
    match execute(tx, DELETE, values)? {
        0 => Err(StoreError::Missing { what: "service account" }),
        _ => Ok(()),
    }
}

const CREATE_KEY: &str = "
    INSERT INTO api_key (id, organization_id, service_account_id, name, secret, created_at, expires_at,
        last_used_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

pub(super) fn create_key(
    tx: &Connection,
    organization: Option<OrganizationId>,
    account: ServiceAccountId,
    key: &ApiKey,
) -> Result<(), StoreError> {
    require(tx, organization, account)?;
    let values = params![
        key.id.to_string(),
        text(organization),
        account.to_string(),
        key.name,
        key.secret.as_bytes().as_slice(),
        key.created_at.as_microseconds(),
        micros(key.expires_at),
        micros(key.last_used_at),
    ];
    execute(tx, CREATE_KEY, values).map(drop)
}

const DELETE_KEY: &str =
    "DELETE FROM api_key WHERE organization_id IS ?1 AND service_account_id = ?2 AND id = ?3";

pub(super) fn delete_key(
    tx: &Connection,
    organization: Option<OrganizationId>,
    account: ServiceAccountId,
    key: TokenId,
) -> Result<(), StoreError> {
    match execute(tx, DELETE_KEY, params![text(organization), account.to_string(), key.to_string()])? {
        0 => Err(StoreError::Missing { what: "API key" }),
        _ => Ok(()),
    }
}

const NOTE_USE: &str = "
    UPDATE api_key SET last_used_at = MAX(COALESCE(last_used_at, ?2), ?2) WHERE id = ?1";

pub(super) fn note_use(tx: &Connection, used: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
    for (key, at) in used {
        execute(tx, NOTE_USE, params![key.to_string(), at.as_microseconds()])?;
    }
    Ok(())
}

fn require(
    tx: &Connection,
    organization: Option<OrganizationId>,
    account: ServiceAccountId,
) -> Result<(), StoreError> {
    let found = list(tx, EXISTS, params![text(organization), account.to_string()], |_| Ok(()))?;
    if found.is_empty() { Err(StoreError::Missing { what: "service account" }) } else { Ok(()) }
}

const ALL: &str = "
    SELECT id, organization_id, name, description, is_active, created_at FROM service_account ORDER BY id";
const ONE: &str = "
    SELECT id, organization_id, name, description, is_active, created_at FROM service_account
    WHERE organization_id = ?1 AND id = ?2";
const GROUPS: &str = "
    SELECT group_id FROM service_account_group
    WHERE organization_id = ?1 AND service_account_id = ?2 ORDER BY group_id";
const KEYS: &str = "
    SELECT id, name, secret, created_at, expires_at, last_used_at FROM api_key
    WHERE organization_id = ?1 AND service_account_id = ?2 ORDER BY id";

pub(super) fn all(tx: &Connection) -> Result<Vec<ServiceAccount>, StoreError> {
    let accounts = list(tx, ALL, [], account)?;
    accounts.into_iter().map(|account| with_parts(tx, account)).collect()
}

pub(super) fn find(
    tx: &Connection,
    organization: OrganizationId,
    id: ServiceAccountId,
) -> Result<Option<ServiceAccount>, StoreError> {
    let found = list(tx, ONE, params![organization.to_string(), id.to_string()], account)?.pop();
    found.map(|account| with_parts(tx, account)).transpose()
}

fn account(row: &Row<'_>) -> rusqlite::Result<ServiceAccount> {
    Ok(ServiceAccount {
        id: row::id(row, 0)?,
        organization: row::id(row, 1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        is_active: row.get(4)?,
        groups: Vec::new(),
        keys: Vec::new(),
        created_at: row::at(row, 5)?,
    })
}

fn with_parts(tx: &Connection, account: ServiceAccount) -> Result<ServiceAccount, StoreError> {
    let (tenant, id) = (account.organization.to_string(), account.id.to_string());
    let groups: Vec<GroupId> = list(tx, GROUPS, [&tenant, &id], |row| row::id(row, 0))?;
    let keys = list(tx, KEYS, [&tenant, &id], |row| {
        Ok(ApiKey {
            id: row::id(row, 0)?,
            name: row.get(1)?,
            secret: row::hash(row, 2)?,
            created_at: row::at(row, 3)?,
            expires_at: row::optional_at(row, 4)?,
            last_used_at: row::optional_at(row, 5)?,
        })
    })?;
    Ok(ServiceAccount { groups, keys, ..account })
}
