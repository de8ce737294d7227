//! Reading users and their memberships.

use buildly_auth::identity::user::comparison_key;
use buildly_auth::identity::{
    AdminMembership, Credentials, Member, PasswordHash, Place, Scope, User, UserKey,
};
use buildly_model::{GroupId, OrganizationId, StoreError, UserId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::column::{count, instant, json, organization, uuid};
use crate::engine::store_error;

macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "
    SELECT a.id, a.number, a.organization_id, a.username, a.email, a.email_verified, a.first_name,
        a.last_name, a.is_active, a.is_superuser, a.credential_version, a.profile, a.version,
        a.created_at, a.edited_at,
        ARRAY(SELECT g.id FROM membership m JOIN user_group g ON g.id = m.group_id
            WHERE m.account_id = a.id ORDER BY g.name COLLATE \"C\", g.number) AS groups
    FROM account a ",
            $rest
        )
    };
}

fn user(row: &PgRow) -> Result<User, StoreError> {
    let read = || {
        Ok(User {
            id: UserId::from_uuid(row.try_get("id")?),
            number: row.try_get("number")?,
            organization: organization(row, "organization_id")?,
            username: row.try_get("username")?,
            email: row.try_get("email")?,
            email_verified: row.try_get("email_verified")?,
            first_name: row.try_get("first_name")?,
            last_name: row.try_get("last_name")?,
            is_active: row.try_get("is_active")?,
            is_superuser: row.try_get("is_superuser")?,
            credential_version: count(row, "credential_version")?,
            profile: json(row, "profile")?,
            groups: groups(row)?,
            version: count(row, "version")?,
            created_at: instant(row, "created_at")?,
            edited_at: instant(row, "edited_at")?,
        })
    };
    read().map_err(store_error)
}

fn groups(row: &PgRow) -> sqlx::Result<Vec<GroupId>> {
    Ok(row.try_get::<Vec<Uuid>, _>("groups")?.into_iter().map(GroupId::from_uuid).collect())
}

const BY_ID: &str = select_user!("WHERE a.id = $1 AND ($2::uuid IS NULL OR a.organization_id = $2)");
const BY_NUMBER: &str = select_user!("WHERE a.number = $1 AND ($2::uuid IS NULL OR a.organization_id = $2)");

pub(super) async fn find(
    tx: &mut PgConnection,
    scope: Scope,
    key: UserKey,
) -> Result<Option<User>, StoreError> {
    let query = match key {
        UserKey::Id(id) => sqlx::query(BY_ID).bind(id.as_uuid()),
        UserKey::Number(number) => sqlx::query(BY_NUMBER).bind(number),
    };
    let row = query.bind(uuid(scope.organization())).fetch_optional(tx).await.map_err(store_error)?;
    row.as_ref().map(user).transpose()
}

const LIST: &str = select_user!(
    "WHERE ($1::uuid IS NULL OR a.organization_id = $1)
        AND ($3::text IS NULL OR (a.first_name COLLATE \"C\", a.number) > ($3, $4))
    ORDER BY a.first_name COLLATE \"C\", a.number LIMIT $2"
);

pub(super) async fn list(
    tx: &mut PgConnection,
    scope: Scope,
    after: Option<&Place>,
    rows_max: u32,
) -> Result<Vec<User>, StoreError> {
    let query = sqlx::query(LIST)
        .bind(uuid(scope.organization()))
        .bind(i64::from(rows_max))
        .bind(after.map(|after| &after.name))
        .bind(after.map(|after| after.number));
    query.fetch_all(tx).await.map_err(store_error)?.iter().map(user).collect()
}

const BY_IDS: &str = select_user!("WHERE a.id = ANY ($1) AND ($2::uuid IS NULL OR a.organization_id = $2)");

pub(super) async fn by_id(
    tx: &mut PgConnection,
    scope: Scope,
    users: &[UserId],
) -> Result<Vec<User>, StoreError> {
    let users: Vec<Uuid> = users.iter().map(UserId::as_uuid).collect();
    let query = sqlx::query(BY_IDS).bind(users).bind(uuid(scope.organization()));
    query.fetch_all(tx).await.map_err(store_error)?.iter().map(user).collect()
}

const WITH_EMAIL: &str = select_user!("WHERE a.email_key = $1 ORDER BY a.number LIMIT $2");

pub(super) async fn with_email(
    tx: &mut PgConnection,
    email: &str,
    rows_max: u32,
) -> Result<Vec<User>, StoreError> {
    let query = sqlx::query(WITH_EMAIL).bind(comparison_key(email)).bind(i64::from(rows_max));
    query.fetch_all(tx).await.map_err(store_error)?.iter().map(user).collect()
}

const CREDENTIALS: &str = "
    SELECT id, organization_id, is_active, password_hash, credential_version
    FROM account WHERE username_key = $1";

pub(super) async fn credentials(
    tx: &mut PgConnection,
    username: &str,
) -> Result<Option<Credentials>, StoreError> {
    let query = sqlx::query(CREDENTIALS).bind(comparison_key(username));
    let Some(row) = query.fetch_optional(tx).await.map_err(store_error)? else { return Ok(None) };
    let read = || {
        Ok(Credentials {
            user: UserId::from_uuid(row.try_get("id")?),
            organization: organization(&row, "organization_id")?,
            is_active: row.try_get("is_active")?,
            password_hash: PasswordHash::from_phc(row.try_get::<String, _>("password_hash")?),
            credential_version: count(&row, "credential_version")?,
        })
    };
    read().map(Some).map_err(store_error)
}

macro_rules! select_member {
    ($rest:literal) => {
        concat!(
            "
    SELECT a.id, a.number, a.organization_id, a.username, a.is_active, a.is_superuser, a.credential_version,
        ARRAY(SELECT m.group_id FROM membership m WHERE m.account_id = a.id) AS groups
    FROM account a ",
            $rest
        )
    };
}

fn member(row: &PgRow) -> Result<Member, StoreError> {
    let read = || {
        Ok(Member {
            user: UserId::from_uuid(row.try_get("id")?),
            number: row.try_get("number")?,
            organization: organization(row, "organization_id")?,
            username: row.try_get("username")?,
            is_active: row.try_get("is_active")?,
            is_superuser: row.try_get("is_superuser")?,
            credential_version: count(row, "credential_version")?,
            groups: groups(row)?,
        })
    };
    read().map_err(store_error)
}

const MEMBERS: &str = select_member!("WHERE a.id = ANY ($1)");

pub(super) async fn members(tx: &mut PgConnection, users: &[UserId]) -> Result<Vec<Member>, StoreError> {
    let users: Vec<Uuid> = users.iter().map(UserId::as_uuid).collect();
    let rows = sqlx::query(MEMBERS).bind(users).fetch_all(tx).await.map_err(store_error)?;
    rows.iter().map(member).collect()
}

const MEMBERS_OF: &str = select_member!("WHERE a.organization_id = $1");
const MEMBERS_OF_NONE: &str = select_member!("WHERE a.organization_id IS NULL");

pub(super) async fn members_of(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
) -> Result<Vec<Member>, StoreError> {
    let query = match organization {
        Some(organization) => sqlx::query(MEMBERS_OF).bind(organization.as_uuid()),
        None => sqlx::query(MEMBERS_OF_NONE),
    };
    query.fetch_all(tx).await.map_err(store_error)?.iter().map(member).collect()
}

const COUNT: &str = "SELECT count(*) AS counted FROM account WHERE organization_id = $1";

pub(super) async fn users_count(
    tx: &mut PgConnection,
    organization: OrganizationId,
) -> Result<u64, StoreError> {
    let query = sqlx::query(COUNT).bind(organization.as_uuid());
    query.fetch_one(tx).await.and_then(|row| count(&row, "counted")).map_err(store_error)
}

const ADMIN_MEMBERSHIPS: &str = "
    SELECT m.group_id, m.account_id FROM membership m
    JOIN user_group g ON g.id = m.group_id JOIN account a ON a.id = m.account_id
    WHERE g.organization_id = $1 AND a.organization_id = $1 AND a.is_active
        AND g.permissions = 15 AND g.is_organization_level AND NOT g.is_global
    ORDER BY m.group_id, m.account_id";

pub(super) async fn admin_memberships(
    tx: &mut PgConnection,
    organization: OrganizationId,
) -> Result<Vec<AdminMembership>, StoreError> {
    let rows = sqlx::query(ADMIN_MEMBERSHIPS).bind(organization.as_uuid()).fetch_all(tx).await;
    let read = |row: PgRow| {
        Ok(AdminMembership {
            group: GroupId::from_uuid(row.try_get("group_id")?),
            user: UserId::from_uuid(row.try_get("account_id")?),
        })
    };
    rows.and_then(|rows| rows.into_iter().map(read).collect()).map_err(store_error)
}
