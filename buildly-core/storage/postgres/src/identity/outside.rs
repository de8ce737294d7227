//! As whom outside identities sign in.

use buildly_model::{StoreError, Timestamp, UserId};
use sqlx::{PgConnection, Row as _};

use super::column::refusal;
use crate::engine::store_error;

const FIND: &str = "SELECT account_id FROM outside_identity WHERE issuer = $1 AND subject = $2";

pub(super) async fn find(
    tx: &mut PgConnection,
    issuer: &str,
    subject: &str,
) -> Result<Option<UserId>, StoreError> {
    let query = sqlx::query(FIND).bind(issuer).bind(subject);
    let Some(row) = query.fetch_optional(tx).await.map_err(store_error)? else { return Ok(None) };
    row.try_get("account_id").map(UserId::from_uuid).map(Some).map_err(store_error)
}

const LINK: &str = "
    INSERT INTO outside_identity (issuer, subject, account_id, created_at) VALUES ($1, $2, $3, $4)";

pub(super) async fn link(
    tx: &mut PgConnection,
    issuer: &str,
    subject: &str,
    user: UserId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let query = sqlx::query(LINK).bind(issuer).bind(subject).bind(user.as_uuid()).bind(at.as_microseconds());
    query.execute(tx).await.map(drop).map_err(refusal)
}
