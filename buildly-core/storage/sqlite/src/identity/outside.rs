//! As whom outside identities sign in.

use buildly_model::{StoreError, Timestamp, UserId};
use rusqlite::{Connection, params};

use super::column::{execute, first, id};
use crate::engine::unique;

const FIND: &str = "SELECT account_id FROM outside_identity WHERE issuer = ?1 AND subject = ?2";

pub(super) fn find(tx: &Connection, issuer: &str, subject: &str) -> Result<Option<UserId>, StoreError> {
    first(tx, FIND, params![issuer, subject], |row| id(row, 0))
}

const LINK: &str = "
    INSERT INTO outside_identity (issuer, subject, account_id, created_at) VALUES (?1, ?2, ?3, ?4)";

pub(super) fn link(
    tx: &Connection,
    issuer: &str,
    subject: &str,
    user: UserId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let linked = execute(tx, LINK, params![issuer, subject, user.to_string(), at.as_microseconds()]);
    let taken = [("outside_identity.subject", "outside_identity")];
    linked.map(drop).map_err(|error| unique(error, &taken))
}
