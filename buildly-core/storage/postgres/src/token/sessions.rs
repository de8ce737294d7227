//! Sessions with their refresh and access tokens.

use buildly_auth::token::{AccessToken, FoundRefreshToken, RefreshToken, SecretHash, Session};
use buildly_model::{OrganizationId, SessionId, StoreError, Timestamp, UserId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::column::{self, bigint, execute, list, micros, uuid};

/// A query whose first seven columns are those that [`session`] reads.
macro_rules! select_session {
    ($rest:expr) => {
        concat!(
            "SELECT s.id, s.organization_id, s.user_id, s.application_id, s.credential_version,
                s.started_at, s.revoked_at",
            $rest
        )
    };
}
/// The same, and then the six columns that [`refresh_token`] reads from the seventh on.
macro_rules! select_refresh_token {
    ($rest:expr) => {
        select_session!(concat!(
            ", t.hash, t.number, t.generation, t.issued_at, t.expires_at, t.used_at",
            $rest
        ))
    };
}
pub(super) use {select_refresh_token, select_session};

pub(super) fn session(row: &PgRow) -> sqlx::Result<Session> {
    Ok(Session {
        id: column::id(row, 0)?,
        organization: column::optional_id(row, 1)?,
        user: column::optional_id(row, 2)?,
        application: column::optional_id(row, 3)?,
        credential_version: column::count(row, 4)?,
        started_at: column::at(row, 5)?,
        revoked_at: column::optional_at(row, 6)?,
    })
}

pub(super) fn refresh_token(row: &PgRow) -> sqlx::Result<RefreshToken> {
    Ok(RefreshToken {
        hash: column::hash(row, 7)?,
        number: row.try_get(8)?,
        generation: row.try_get(9)?,
        issued_at: column::at(row, 10)?,
        expires_at: column::at(row, 11)?,
        used_at: column::optional_at(row, 12)?,
    })
}

/// A user's session needs the password that it was opened with, see [`PROLONG`].
const START: &str = "
    INSERT INTO session (id, organization_id, user_id, application_id, credential_version, started_at,
        revoked_at, ends_at)
    SELECT $1, $2, $3, $4, $5, $6, NULL, $7 WHERE $3::uuid IS NULL OR EXISTS (
        SELECT 1 FROM account WHERE id = $3 AND organization_id IS NOT DISTINCT FROM $2
            AND credential_version = $5 AND is_active)";

pub(super) async fn start(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    session: &Session,
    access: &AccessToken,
    refresh: Option<&RefreshToken>,
) -> Result<(), StoreError> {
    let ends_at = refresh.map_or(access.expires_at, |refresh| refresh.expires_at.max(access.expires_at));
    let start = sqlx::query(START)
        .bind(session.id.as_uuid())
        .bind(uuid(organization))
        .bind(uuid(session.user))
        .bind(uuid(session.application))
        .bind(bigint(session.credential_version))
        .bind(session.started_at.as_microseconds())
        .bind(ends_at.as_microseconds());
    if execute(tx, start).await? == 0 {
        return Err(StoreError::Stale);
    }
    insert_access(tx, organization, session.id, access).await?;
    match refresh {
        Some(refresh) => insert_refresh(tx, organization, session.id, refresh).await,
        None => Ok(()),
    }
}

const USE_REFRESH: &str = "
    UPDATE refresh_token SET used_at = $4
    WHERE organization_id IS NOT DISTINCT FROM $1 AND session_id = $2 AND hash = $3 AND used_at IS NULL";

pub(super) async fn refresh(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    session: SessionId,
    presented: &SecretHash,
    successor: &RefreshToken,
    access: &AccessToken,
) -> Result<(), StoreError> {
    prolong(tx, organization, session, successor.expires_at.max(access.expires_at)).await?;
    let used = sqlx::query(USE_REFRESH)
        .bind(uuid(organization))
        .bind(session.as_uuid())
        .bind(presented.as_bytes().as_slice())
        .bind(successor.issued_at.as_microseconds());
    if execute(tx, used).await? == 0 {
        return Err(StoreError::Stale);
    }
    insert_refresh(tx, organization, session, successor).await?;
    insert_access(tx, organization, session, access).await
}

pub(super) async fn repeat(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    session: SessionId,
    access: &AccessToken,
) -> Result<(), StoreError> {
    prolong(tx, organization, session, access.expires_at).await?;
    insert_access(tx, organization, session, access).await
}

const PROLONG: &str = "
    UPDATE session SET ends_at = GREATEST(ends_at, $3)
    WHERE organization_id IS NOT DISTINCT FROM $1 AND id = $2 AND revoked_at IS NULL
        AND (user_id IS NULL OR EXISTS (
            SELECT 1 FROM account a WHERE a.id = session.user_id
                AND a.organization_id IS NOT DISTINCT FROM $1
                AND a.credential_version = session.credential_version AND a.is_active))";

/// Only a session that lives goes on, while its user is active and has the same password.
async fn prolong(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    session: SessionId,
    ends_at: Timestamp,
) -> Result<(), StoreError> {
    let prolong =
        sqlx::query(PROLONG).bind(uuid(organization)).bind(session.as_uuid()).bind(ends_at.as_microseconds());
    if execute(tx, prolong).await? == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

/// Waits for whoever is just prolonging the session. A statement sees only what was committed
/// before it began, so [`REVOKE`] alone would miss the access token that is issued meanwhile,
/// and the revocation would be forgotten before that token ends.
const LOCK: &str = "
    SELECT 1 FROM session
    WHERE organization_id IS NOT DISTINCT FROM $1 AND id = $2 AND revoked_at IS NULL FOR UPDATE";
// A revoked session ends with its last access token: its refresh tokens lead nowhere.
const REVOKE: &str = "
    UPDATE session SET revoked_at = $3, ends_at = COALESCE(
        (SELECT MAX(expires_at) FROM access_token WHERE session_id = $2), $3)
    WHERE organization_id IS NOT DISTINCT FROM $1 AND id = $2 AND revoked_at IS NULL";

pub(super) async fn revoke(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    session: SessionId,
    at: Timestamp,
) -> Result<(), StoreError> {
    execute(tx, sqlx::query(LOCK).bind(uuid(organization)).bind(session.as_uuid())).await?;
    let revoke =
        sqlx::query(REVOKE).bind(uuid(organization)).bind(session.as_uuid()).bind(at.as_microseconds());
    execute(tx, revoke).await.map(drop)
}

const ENDED: &str = "
    SELECT id FROM session WHERE ends_at < $1 ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED";
const FORGET: [&str; 3] = [
    "DELETE FROM access_token WHERE session_id = ANY($1)",
    "DELETE FROM refresh_token WHERE session_id = ANY($1)",
    "DELETE FROM session WHERE id = ANY($1)",
];
const FORGET_ACCESS: &str = "
    DELETE FROM access_token WHERE number IN (
        SELECT number FROM access_token WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

pub(super) async fn forget(
    tx: &mut PgConnection,
    before: Timestamp,
    sessions_max: u32,
) -> Result<(), StoreError> {
    let (before, rows_max) = (before.as_microseconds(), i64::from(sessions_max));
    let ended = sqlx::query(ENDED).bind(before).bind(rows_max);
    let ended: Vec<uuid::Uuid> = list(tx, ended, |row| row.try_get(0)).await?;
    for sql in FORGET {
        execute(tx, sqlx::query(sql).bind(&ended)).await?;
    }
    execute(tx, sqlx::query(FORGET_ACCESS).bind(before).bind(rows_max)).await.map(drop)
}

const HAS_ENDED: &str = "
    SELECT EXISTS (SELECT 1 FROM session WHERE ends_at < $1)
        OR EXISTS (SELECT 1 FROM access_token WHERE expires_at < $1)";

pub(super) async fn has_ended(tx: &mut PgConnection, before: Timestamp) -> Result<bool, StoreError> {
    let found = list(tx, sqlx::query(HAS_ENDED).bind(before.as_microseconds()), |row| row.try_get(0));
    Ok(found.await?.pop().unwrap_or(false))
}

const INSERT_ACCESS: &str = "
    INSERT INTO access_token (id, session_id, organization_id, issued_at, expires_at)
    VALUES ($1, $2, $3, $4, $5)";

async fn insert_access(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    session: SessionId,
    access: &AccessToken,
) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT_ACCESS)
        .bind(access.id.as_uuid())
        .bind(session.as_uuid())
        .bind(uuid(organization))
        .bind(access.issued_at.as_microseconds())
        .bind(access.expires_at.as_microseconds());
    execute(tx, insert).await.map(drop)
}

const INSERT_REFRESH: &str = "
    INSERT INTO refresh_token (hash, session_id, organization_id, generation, issued_at, expires_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

async fn insert_refresh(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    session: SessionId,
    refresh: &RefreshToken,
) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT_REFRESH)
        .bind(refresh.hash.as_bytes().as_slice())
        .bind(session.as_uuid())
        .bind(uuid(organization))
        .bind(refresh.generation)
        .bind(refresh.issued_at.as_microseconds())
        .bind(refresh.expires_at.as_microseconds())
        .bind(micros(refresh.used_at));
    execute(tx, insert).await.map(drop)
}

const REVOKED: &str = "SELECT id FROM session WHERE revoked_at IS NOT NULL";

pub(super) async fn revoked(tx: &mut PgConnection) -> Result<Vec<SessionId>, StoreError> {
    list(tx, sqlx::query(REVOKED), |row| column::id(row, 0)).await
}

const FIND: &str = select_session!(" FROM session s WHERE s.id = $1");

pub(super) async fn find(tx: &mut PgConnection, id: SessionId) -> Result<Option<Session>, StoreError> {
    Ok(list(tx, sqlx::query(FIND).bind(id.as_uuid()), session).await?.pop())
}

const OF_USER: &str = select_session!(
    " FROM session s
     WHERE s.organization_id IS NOT DISTINCT FROM $1 AND s.user_id = $2 AND s.revoked_at IS NULL
     ORDER BY s.started_at, s.id LIMIT $3"
);

pub(super) async fn of_user(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    user: UserId,
    sessions_max: u32,
) -> Result<Vec<Session>, StoreError> {
    let select =
        sqlx::query(OF_USER).bind(uuid(organization)).bind(user.as_uuid()).bind(i64::from(sessions_max));
    list(tx, select, session).await
}

const FIND_REFRESH: &str = select_refresh_token!(
    ", EXISTS (
         SELECT 1 FROM refresh_token n
         WHERE n.session_id = t.session_id AND n.generation = t.generation + 1 AND n.used_at IS NOT NULL)
     FROM refresh_token t JOIN session s ON s.id = t.session_id WHERE t.hash = $1"
);

pub(super) async fn find_refresh_token(
    tx: &mut PgConnection,
    hash: &SecretHash,
) -> Result<Option<FoundRefreshToken>, StoreError> {
    let read = |row: &PgRow| {
        Ok(FoundRefreshToken {
            session: session(row)?,
            token: refresh_token(row)?,
            successor_used: row.try_get(13)?,
        })
    };
    Ok(list(tx, sqlx::query(FIND_REFRESH).bind(hash.as_bytes().as_slice()), read).await?.pop())
}
