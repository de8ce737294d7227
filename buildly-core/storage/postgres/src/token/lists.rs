//! Lists of tokens for the superuser.

use buildly_auth::token::{AccessToken, Listed, RefreshToken};
use buildly_model::{StoreError, Timestamp, UserId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::column::{self, list, uuid};
use super::sessions::{refresh_token, select_refresh_token, select_session, session};

const ACCESS: &str = select_session!(
    ", t.id, t.number, t.issued_at, t.expires_at
     FROM access_token t JOIN session s ON s.id = t.session_id
     WHERE ($1::uuid IS NULL OR s.user_id = $1) AND t.expires_at > $2 AND t.number > $3
     ORDER BY t.number LIMIT $4"
);

pub(super) async fn access_tokens(
    tx: &mut PgConnection,
    user: Option<UserId>,
    now: Timestamp,
    after: i64,
    tokens_max: u32,
) -> Result<Vec<Listed<AccessToken>>, StoreError> {
    let select = sqlx::query(ACCESS)
        .bind(uuid(user))
        .bind(now.as_microseconds())
        .bind(after)
        .bind(i64::from(tokens_max));
    let read = |row: &PgRow| {
        let token = AccessToken {
            id: column::id(row, 7)?,
            number: row.try_get(8)?,
            issued_at: column::at(row, 9)?,
            expires_at: column::at(row, 10)?,
        };
        Ok(Listed { session: session(row)?, token })
    };
    list(tx, select, read).await
}

const REFRESH: &str = select_refresh_token!(
    " FROM refresh_token t JOIN session s ON s.id = t.session_id
     WHERE ($1::uuid IS NULL OR s.user_id = $1) AND t.number > $2
     ORDER BY t.number LIMIT $3"
);

pub(super) async fn refresh_tokens(
    tx: &mut PgConnection,
    user: Option<UserId>,
    after: i64,
    tokens_max: u32,
) -> Result<Vec<Listed<RefreshToken>>, StoreError> {
    let select = sqlx::query(REFRESH).bind(uuid(user)).bind(after).bind(i64::from(tokens_max));
    list(tx, select, |row| Ok(Listed { session: session(row)?, token: refresh_token(row)? })).await
}
