//! Lists of tokens for the superuser.

use buildly_auth::token::{AccessToken, Listed, RefreshToken};
use buildly_model::{StoreError, Timestamp, UserId};
use rusqlite::{Connection, params};

use super::row::{self, list, text};
use super::sessions::{REFRESH, SESSION, refresh_token, session};

pub(super) fn access_tokens(
    tx: &Connection,
    user: Option<UserId>,
    now: Timestamp,
    after: i64,
    tokens_max: u32,
) -> Result<Vec<Listed<AccessToken>>, StoreError> {
    let sql = format!(
        "SELECT {SESSION}, t.id, t.number, t.issued_at, t.expires_at
         FROM access_token t JOIN session s ON s.id = t.session_id
         WHERE (?1 IS NULL OR s.user_id = ?1) AND t.expires_at > ?2 AND t.number > ?3
         ORDER BY t.number LIMIT ?4"
    );
    list(tx, &sql, params![text(user), now.as_microseconds(), after, tokens_max], |row| {
        let token = AccessToken {
            id: row::id(row, 7)?,
            number: row.get(8)?,
            issued_at: row::at(row, 9)?,
            expires_at: row::at(row, 10)?,
        };
        Ok(Listed { session: session(row, 0)?, token })
    })
}

pub(super) fn refresh_tokens(
    tx: &Connection,
    user: Option<UserId>,
    after: i64,
    tokens_max: u32,
) -> Result<Vec<Listed<RefreshToken>>, StoreError> {
    let sql = format!(
        "SELECT {SESSION}, {REFRESH}
         FROM refresh_token t JOIN session s ON s.id = t.session_id
         WHERE (?1 IS NULL OR s.user_id = ?1) AND t.number > ?2
         ORDER BY t.number LIMIT ?3"
    );
    list(tx, &sql, params![text(user), after, tokens_max], |row| {
        Ok(Listed { session: session(row, 0)?, token: refresh_token(row, 7)? })
    })
}
