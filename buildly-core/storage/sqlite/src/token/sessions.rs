//! Sessions with their refresh and access tokens.

use buildly_auth::token::{AccessToken, FoundRefreshToken, RefreshToken, SecretHash, Session};
use buildly_model::{OrganizationId, SessionId, StoreError, Timestamp, UserId};
use rusqlite::{Connection, Row, params};

use super::row::{self, execute, list, micros, text};

/// The columns of a session, in the order of [`session`].
pub(super) const SESSION: &str = "s.id, s.organization_id, s.user_id, s.application_id, \
    s.credential_version, s.started_at, s.revoked_at";

/// Reads the seven columns of [`SESSION`] from `first` on.
pub(super) fn session(row: &Row<'_>, first: usize) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row::id(row, first)?,
        organization: row::optional_id(row, first + 1)?,
        user: row::optional_id(row, first + 2)?,
        application: row::optional_id(row, first + 3)?,
        credential_version: row.get(first + 4)?,
        started_at: row::at(row, first + 5)?,
        revoked_at: row::optional_at(row, first + 6)?,
    })
}

/// A user's session needs the password that it was opened with, see [`PROLONG`].
const START: &str = "
    INSERT INTO session (id, organization_id, user_id, application_id, credential_version, started_at,
        revoked_at, ends_at)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7 WHERE ?3 IS NULL OR EXISTS (
        SELECT 1 FROM account WHERE id = ?3 AND organization_id IS ?2 AND credential_version = ?5
            AND is_active = 1)";

pub(super) fn start(
    tx: &Connection,
    organization: Option<OrganizationId>,
    session: &Session,
    access: &AccessToken,
    refresh: Option<&RefreshToken>,
) -> Result<(), StoreError> {
    let ends_at = refresh.map_or(access.expires_at, |refresh| refresh.expires_at.max(access.expires_at));
    let values = params![
        session.id.to_string(),
        text(organization),
        text(session.user),
        text(session.application),
        session.credential_version,
        session.started_at.as_microseconds(),
        ends_at.as_microseconds(),
    ];
    if execute(tx, START, values)? == 0 {
        return Err(StoreError::Stale);
    }
    insert_access(tx, organization, session.id, access)?;
    refresh.map_or(Ok(()), |refresh| insert_refresh(tx, organization, session.id, refresh))
}

const USE_REFRESH: &str = "
    UPDATE refresh_token SET used_at = ?4
    WHERE organization_id IS ?1 AND session_id = ?2 AND hash = ?3 AND used_at IS NULL";

pub(super) fn refresh(
    tx: &Connection,
    organization: Option<OrganizationId>,
    session: SessionId,
    presented: &SecretHash,
    successor: &RefreshToken,
    access: &AccessToken,
) -> Result<(), StoreError> {
    prolong(tx, organization, session, successor.expires_at.max(access.expires_at))?;
    let used_at = successor.issued_at.as_microseconds();
    let values = params![text(organization), session.to_string(), presented.as_bytes().as_slice(), used_at];
    if execute(tx, USE_REFRESH, values)? == 0 {
        return Err(StoreError::Stale);
    }
    insert_refresh(tx, organization, session, successor)?;
    insert_access(tx, organization, session, access)
}

pub(super) fn repeat(
    tx: &Connection,
    organization: Option<OrganizationId>,
    session: SessionId,
    access: &AccessToken,
) -> Result<(), StoreError> {
    prolong(tx, organization, session, access.expires_at)?;
    insert_access(tx, organization, session, access)
}

const PROLONG: &str = "
    UPDATE session SET ends_at = MAX(ends_at, ?3)
    WHERE organization_id IS ?1 AND id = ?2 AND revoked_at IS NULL AND (user_id IS NULL OR EXISTS (
        SELECT 1 FROM account WHERE id = session.user_id AND organization_id IS ?1
            AND credential_version = session.credential_version AND is_active = 1))";

/// Only a session that lives goes on, while its user is active and has the same password.
fn prolong(
    tx: &Connection,
    organization: Option<OrganizationId>,
    session: SessionId,
    ends_at: Timestamp,
) -> Result<(), StoreError> {
    let values = params![text(organization), session.to_string(), ends_at.as_microseconds()];
    if execute(tx, PROLONG, values)? == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

// A revoked session ends with its last access token: its refresh tokens lead nowhere.
const REVOKE: &str = "
    UPDATE session SET revoked_at = ?3, ends_at = COALESCE(
        (SELECT MAX(expires_at) FROM access_token WHERE session_id = ?2), ?3)
    WHERE organization_id IS ?1 AND id = ?2 AND revoked_at IS NULL";

pub(super) fn revoke(
    tx: &Connection,
    organization: Option<OrganizationId>,
    session: SessionId,
    at: Timestamp,
) -> Result<(), StoreError> {
    execute(tx, REVOKE, params![text(organization), session.to_string(), at.as_microseconds()]).map(drop)
}

const ENDED: &str = "SELECT id FROM session WHERE ends_at < ?1 ORDER BY ends_at LIMIT ?2";
const FORGET: [&str; 3] = [
    "DELETE FROM access_token WHERE session_id = ?1",
    "DELETE FROM refresh_token WHERE session_id = ?1",
    "DELETE FROM session WHERE id = ?1",
];
const FORGET_ACCESS: &str = "
    DELETE FROM access_token WHERE number IN (
        SELECT number FROM access_token WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) fn forget(tx: &Connection, before: Timestamp, sessions_max: u32) -> Result<(), StoreError> {
    let before = before.as_microseconds();
    let ended: Vec<String> = list(tx, ENDED, params![before, sessions_max], |row| row.get(0))?;
    for session in ended {
        for sql in FORGET {
            execute(tx, sql, [&session])?;
        }
    }
    execute(tx, FORGET_ACCESS, params![before, sessions_max]).map(drop)
}

const HAS_ENDED: &str = "
    SELECT EXISTS (SELECT 1 FROM session WHERE ends_at < ?1)
        OR EXISTS (SELECT 1 FROM access_token WHERE expires_at < ?1)";

pub(super) fn has_ended(tx: &Connection, before: Timestamp) -> Result<bool, StoreError> {
    Ok(list(tx, HAS_ENDED, [before.as_microseconds()], |row| row.get(0))?.pop().unwrap_or(false))
}

const INSERT_ACCESS: &str = "
    INSERT INTO access_token (id, session_id, organization_id, issued_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5)";

fn insert_access(
    tx: &Connection,
    organization: Option<OrganizationId>,
    session: SessionId,
    access: &AccessToken,
) -> Result<(), StoreError> {
    let values = params![
        access.id.to_string(),
        session.to_string(),
        text(organization),
        access.issued_at.as_microseconds(),
        access.expires_at.as_microseconds(),
    ];
    execute(tx, INSERT_ACCESS, values).map(drop)
}

const INSERT_REFRESH: &str = "
    INSERT INTO refresh_token (hash, session_id, organization_id, generation, issued_at, expires_at, used_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

fn insert_refresh(
    tx: &Connection,
    organization: Option<OrganizationId>,
    session: SessionId,
    refresh: &RefreshToken,
) -> Result<(), StoreError> {
    let values = params![
        refresh.hash.as_bytes().as_slice(),
        session.to_string(),
        text(organization),
        refresh.generation,
        refresh.issued_at.as_microseconds(),
        refresh.expires_at.as_microseconds(),
        micros(refresh.used_at),
    ];
    execute(tx, INSERT_REFRESH, values).map(drop)
}

const REVOKED: &str = "SELECT id FROM session WHERE revoked_at IS NOT NULL";

pub(super) fn revoked(tx: &Connection) -> Result<Vec<SessionId>, StoreError> {
    list(tx, REVOKED, [], |row| row::id(row, 0))
}

pub(super) fn find(tx: &Connection, id: SessionId) -> Result<Option<Session>, StoreError> {
    let sql = format!("SELECT {SESSION} FROM session s WHERE s.id = ?1");
    Ok(list(tx, &sql, [id.to_string()], |row| session(row, 0))?.pop())
}

pub(super) fn of_user(
    tx: &Connection,
    organization: Option<OrganizationId>,
    user: UserId,
    sessions_max: u32,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!(
        "SELECT {SESSION} FROM session s
         WHERE s.organization_id IS ?1 AND s.user_id = ?2 AND s.revoked_at IS NULL
         ORDER BY s.started_at, s.id LIMIT ?3"
    );
    list(tx, &sql, params![text(organization), user.to_string(), sessions_max], |row| session(row, 0))
}

/// The columns of a refresh token, in the order of [`refresh_token`].
pub(super) const REFRESH: &str = "t.hash, t.number, t.generation, t.issued_at, t.expires_at, t.used_at";

/// Reads the six columns of [`REFRESH`] from `first` on.
pub(super) fn refresh_token(row: &Row<'_>, first: usize) -> rusqlite::Result<RefreshToken> {
    Ok(RefreshToken {
        hash: row::hash(row, first)?,
        number: row.get(first + 1)?,
        generation: row.get(first + 2)?,
        issued_at: row::at(row, first + 3)?,
        expires_at: row::at(row, first + 4)?,
        used_at: row::optional_at(row, first + 5)?,
    })
}

pub(super) fn find_refresh_token(
    tx: &Connection,
    hash: &SecretHash,
) -> Result<Option<FoundRefreshToken>, StoreError> {
    let sql = format!(
        "SELECT {SESSION}, {REFRESH}, EXISTS (
             SELECT 1 FROM refresh_token n
             WHERE n.session_id = t.session_id AND n.generation = t.generation + 1
                 AND n.used_at IS NOT NULL)
         FROM refresh_token t JOIN session s ON s.id = t.session_id WHERE t.hash = ?1"
    );
    let mut found = list(tx, &sql, [hash.as_bytes().as_slice()], |row| {
        Ok(FoundRefreshToken {
            session: session(row, 0)?,
            token: refresh_token(row, 7)?,
            successor_used: row.get(13)?,
        })
    })?;
    Ok(found.pop())
}
