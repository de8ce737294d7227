//! Users and their memberships.

use buildly_auth::identity::user::comparison_key;
use buildly_auth::identity::{
    AdminMembership, Credentials, Member, PasswordHash, Place, Scope, User, UserKey,
};
use buildly_model::{GroupId, OrganizationId, StoreError, Timestamp, UserId};
use rusqlite::{Connection, Row, params};

use super::column::{all, execute, first, id, ids, instant, json, key_list, optional_id, text, to_json};
use crate::engine::{store_error, unique};

const USER: &str = "
    SELECT a.id, a.number, a.organization_id, a.username, a.email, a.email_verified, a.first_name,
        a.last_name, a.is_active, a.is_superuser, a.credential_version, a.profile, a.version,
        a.created_at, a.edited_at,
        (SELECT group_concat(o.id) FROM (SELECT g.id FROM membership m JOIN user_group g
            ON g.id = m.group_id WHERE m.account_id = a.id ORDER BY g.name, g.number) o)
    FROM account a";

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: id(row, 0)?,
        number: row.get(1)?,
        organization: optional_id(row, 2)?,
        username: row.get(3)?,
        email: row.get(4)?,
        email_verified: row.get(5)?,
        first_name: row.get(6)?,
        last_name: row.get(7)?,
        is_active: row.get(8)?,
        is_superuser: row.get(9)?,
        credential_version: row.get(10)?,
        profile: json(row, 11)?,
        version: row.get(12)?,
        created_at: instant(row, 13)?,
        edited_at: instant(row, 14)?,
        groups: ids(row, 15)?,
    })
}

pub(super) fn find(tx: &Connection, scope: Scope, key: UserKey) -> Result<Option<User>, StoreError> {
    let (column, value) = match key {
        UserKey::Id(id) => ("id", id.to_string()),
        UserKey::Number(number) => ("number", number.to_string()),
    };
    let sql = format!("{USER} WHERE a.{column} = ?1 AND (?2 IS NULL OR a.organization_id = ?2)");
    first(tx, &sql, params![value, text(scope.organization())], user)
}

pub(super) fn list(
    tx: &Connection,
    scope: Scope,
    after: Option<&Place>,
    rows_max: u32,
) -> Result<Vec<User>, StoreError> {
    let sql = format!(
        "{USER} WHERE (?1 IS NULL OR a.organization_id = ?1)
            AND (?3 IS NULL OR (a.first_name, a.number) > (?3, ?4))
        ORDER BY a.first_name, a.number LIMIT ?2"
    );
    let (name, number) = after.map(|after| (&after.name, after.number)).unzip();
    all(tx, &sql, params![text(scope.organization()), rows_max, name, number], user)
}

pub(super) fn by_id(tx: &Connection, scope: Scope, users: &[UserId]) -> Result<Vec<User>, StoreError> {
    let sql = format!(
        "{USER} WHERE a.id IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR a.organization_id = ?2)"
    );
    all(tx, &sql, params![key_list(users)?, text(scope.organization())], user)
}

pub(super) fn with_email(tx: &Connection, email: &str, rows_max: u32) -> Result<Vec<User>, StoreError> {
    let sql = format!("{USER} WHERE a.email_key = ?1 ORDER BY a.number LIMIT ?2");
    all(tx, &sql, params![comparison_key(email), rows_max], user)
}

const CREDENTIALS: &str = "
    SELECT id, organization_id, is_active, password_hash, credential_version
    FROM account WHERE username_key = ?1";

pub(super) fn credentials(tx: &Connection, username: &str) -> Result<Option<Credentials>, StoreError> {
    first(tx, CREDENTIALS, params![comparison_key(username)], |row| {
        Ok(Credentials {
            user: id(row, 0)?,
            organization: optional_id(row, 1)?,
            is_active: row.get(2)?,
            password_hash: PasswordHash::from_phc(row.get::<_, String>(3)?),
            credential_version: row.get(4)?,
        })
    })
}

const MEMBER: &str = "
    SELECT a.id, a.organization_id, a.username, a.is_active, a.is_superuser, a.credential_version,
        (SELECT group_concat(m.group_id) FROM membership m WHERE m.account_id = a.id), a.number
    FROM account a";

fn member(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        user: id(row, 0)?,
        number: row.get(7)?,
        organization: optional_id(row, 1)?,
        username: row.get(2)?,
        is_active: row.get(3)?,
        is_superuser: row.get(4)?,
        credential_version: row.get(5)?,
        groups: ids(row, 6)?,
    })
}

pub(super) fn members(tx: &Connection, users: &[UserId]) -> Result<Vec<Member>, StoreError> {
    let sql = format!("{MEMBER} WHERE a.id IN (SELECT value FROM json_each(?1))");
    all(tx, &sql, params![key_list(users)?], member)
}

pub(super) fn members_of(
    tx: &Connection,
    organization: Option<OrganizationId>,
) -> Result<Vec<Member>, StoreError> {
    all(tx, &format!("{MEMBER} WHERE a.organization_id IS ?1"), params![text(organization)], member)
}

const COUNT: &str = "SELECT count(*) FROM account WHERE organization_id = ?1";

pub(super) fn count(tx: &Connection, organization: OrganizationId) -> Result<u64, StoreError> {
    let counted = first(tx, COUNT, params![organization.to_string()], |row| row.get(0))?;
    Ok(counted.unwrap_or(0))
}

const ADMIN_MEMBERSHIPS: &str = "
    SELECT m.group_id, m.account_id FROM membership m
    JOIN user_group g ON g.id = m.group_id JOIN account a ON a.id = m.account_id
    WHERE g.organization_id = ?1 AND a.organization_id = ?1 AND a.is_active = 1
        AND g.permissions = 15 AND g.is_organization_level = 1 AND g.is_global = 0
    ORDER BY m.group_id, m.account_id";

pub(super) fn admin_memberships(
    tx: &Connection,
    organization: OrganizationId,
) -> Result<Vec<AdminMembership>, StoreError> {
    all(tx, ADMIN_MEMBERSHIPS, params![organization.to_string()], |row| {
        Ok(AdminMembership { group: id(row, 0)?, user: id(row, 1)? })
    })
}

const INSERT: &str = "
    INSERT INTO account (id, organization_id, username, username_key, email, email_key, email_verified,
        first_name, last_name, is_active, is_superuser, password_hash, credential_version, profile,
        version, created_at, edited_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";

pub(super) fn create(tx: &Connection, user: &User, password: &PasswordHash) -> Result<(), StoreError> {
    let inserted = execute(
        tx,
        INSERT,
        params![
            user.id.to_string(),
            text(user.organization),
            user.username,
            comparison_key(&user.username),
            user.email,
            comparison_key(&user.email),
            user.email_verified,
            user.first_name,
            user.last_name,
            user.is_active,
            user.is_superuser,
            password.as_phc(),
            user.credential_version,
            to_json(&user.profile)?,
            user.version,
            user.created_at.as_microseconds(),
            user.edited_at.as_microseconds(),
        ],
    );
    inserted.map_err(taken)?;
    add_memberships(tx, user)
}

const UPDATE: &str = "
    UPDATE account SET organization_id = ?1, username = ?2, username_key = ?3, email = ?4, email_key = ?5,
        email_verified = ?6, first_name = ?7, last_name = ?8, is_active = ?9, is_superuser = ?10,
        profile = ?11, edited_at = ?12, version = version + 1
    WHERE id = ?13 AND organization_id IS ?14 AND version = ?15";
const DELETE_MEMBERSHIPS: &str = "DELETE FROM membership WHERE account_id = ?1";

pub(super) fn update(
    tx: &Connection,
    organization: Option<OrganizationId>,
    user: &User,
) -> Result<(), StoreError> {
    let updated = execute(
        tx,
        UPDATE,
        params![
            text(user.organization),
            user.username,
            comparison_key(&user.username),
            user.email,
            comparison_key(&user.email),
            user.email_verified,
            user.first_name,
            user.last_name,
            user.is_active,
            user.is_superuser,
            to_json(&user.profile)?,
            user.edited_at.as_microseconds(),
            user.id.to_string(),
            text(organization),
            user.version,
        ],
    );
    if updated.map_err(taken)? == 0 {
        return Err(StoreError::Stale);
    }
    execute(tx, DELETE_MEMBERSHIPS, params![user.id.to_string()]).map_err(store_error)?;
    add_memberships(tx, user)
}

const ADD_MEMBERSHIP: &str = "
    INSERT INTO membership (account_id, group_id, organization_id)
    SELECT ?1, id, ?3 FROM user_group
    WHERE id = ?2 AND (organization_id IS ?3 OR organization_id IS NULL)";

/// A group of another organization counts as missing.
fn add_memberships(tx: &Connection, user: &User) -> Result<(), StoreError> {
    for group in &user.groups {
        let parameters = params![user.id.to_string(), group.to_string(), text(user.organization)];
        if execute(tx, ADD_MEMBERSHIP, parameters).map_err(store_error)? == 0 {
            return Err(StoreError::Missing { what: "group" });
        }
    }
    Ok(())
}

const SET_PASSWORD: &str = "
    UPDATE account SET password_hash = ?1, credential_version = credential_version + 1, edited_at = ?2
    WHERE id = ?3 AND organization_id IS ?4";
const DELETE_RESETS: &str = "
    DELETE FROM proof WHERE account_id = ?1 AND purpose = 'password_reset' AND used_at IS NULL";

pub(super) fn set_password(
    tx: &Connection,
    organization: Option<OrganizationId>,
    user: UserId,
    password: &PasswordHash,
    at: Timestamp,
) -> Result<(), StoreError> {
    let parameters = params![password.as_phc(), at.as_microseconds(), user.to_string(), text(organization)];
    if execute(tx, SET_PASSWORD, parameters).map_err(store_error)? == 0 {
        return Err(StoreError::Missing { what: "user" });
    }
    execute(tx, DELETE_RESETS, params![user.to_string()]).map_err(store_error)?;
    Ok(())
}

const REHASH: &str = "
    UPDATE account SET password_hash = ?1
    WHERE id = ?2 AND organization_id IS ?3 AND credential_version = ?4";

pub(super) fn rehash(
    tx: &Connection,
    organization: Option<OrganizationId>,
    user: UserId,
    credential_version: u64,
    password: &PasswordHash,
) -> Result<(), StoreError> {
    let parameters = params![password.as_phc(), user.to_string(), text(organization), credential_version];
    execute(tx, REHASH, parameters).map(drop).map_err(store_error)
}

const DELETE_PROOFS: &str = "DELETE FROM proof WHERE account_id = ?1";
const DELETE: &str = "DELETE FROM account WHERE id = ?1 AND organization_id IS ?2";

pub(super) fn delete(
    tx: &Connection,
    organization: Option<OrganizationId>,
    user: UserId,
) -> Result<(), StoreError> {
    let user = user.to_string();
    execute(tx, DELETE_MEMBERSHIPS, params![user]).map_err(store_error)?;
    execute(tx, DELETE_PROOFS, params![user]).map_err(store_error)?;
    match execute(tx, DELETE, params![user, text(organization)]).map_err(store_error)? {
        0 => Err(StoreError::Missing { what: "user" }),
        _ => Ok(()),
    }
}

const DELETE_MEMBERS: &str = "DELETE FROM membership WHERE group_id = ?1";

pub(super) fn leave_group(tx: &Connection, group: GroupId) -> Result<(), StoreError> {
    execute(tx, DELETE_MEMBERS, params![group.to_string()]).map(drop).map_err(store_error)
}

fn taken(error: rusqlite::Error) -> StoreError {
    unique(error, &[("account.username_key", "username")])
}
