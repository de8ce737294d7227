//! `Idempotency-Key`: a repeated POST gets the first answer and does nothing again
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! The key, a fingerprint of the request and its answer are written in the transaction of the
//! record itself, so there is never one without the other. Keys belong to one principal of one
//! organization and are kept for [`KEPT`].

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use buildly_model::{FieldError, OrganizationId, Timestamp};
use http::HeaderMap;

use crate::Error;
use crate::statement::{Dialect, Statement};
use crate::value::{Cell, Kind};

/// How a key that is taken shows in an error of the store.
pub(crate) const FIELD: &str = "Idempotency-Key";
/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
const KEY_BYTES_MAX: usize = 255;

/// A key with the request that it was sent with.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) organization: OrganizationId,
    pub(crate) principal: String,
    pub(crate) key: String,
    pub(crate) fingerprint: String,
}

/// What a write answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The id of the record that was made.
    pub(crate) id: String,
    pub(crate) etag: String,
    pub(crate) body: String,
}

/// Reads the header's value, if there is one.
///
/// # Errors
/// A [`FieldError`] if it is no visible ASCII text of at most 255 bytes.
pub(crate) fn parse(headers: &HeaderMap) -> Result<Option<String>, FieldError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    value
        .to_str()
        .ok()
        .filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX)
        .map(|key| Some(key.to_owned()))
        .ok_or_else(|| FieldError::new(FIELD, "Expected 1 to 255 visible characters."))
}

/// What tells one request from another.
pub(crate) fn fingerprint(path: &str, body: &[u8]) -> String {
    let mut text = path.as_bytes().to_vec();
    text.push(b'\n');
    text.extend_from_slice(body);
    digest(&SHA256, &text).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks for the stored answer: `fingerprint, status, record, etag, body`.
pub(crate) fn select(dialect: Dialect, key: &Key, now: Timestamp) -> Statement {
    let mut statement = Statement::new(dialect);
    statement
        .push("SELECT fingerprint, status, record, etag, body FROM idempotency WHERE organization_id = ");
    statement.bind(Cell::Uuid(key.organization.as_uuid()));
    statement.push(" AND principal = ").bind(Cell::Text(key.principal.clone()));
    statement.push(" AND key = ").bind(Cell::Text(key.key.clone()));
    statement.push(" AND created_at > ").bind(Cell::Integer(now.before(KEPT).as_microseconds()));
    statement.answering(vec![Kind::Text, Kind::Integer, Kind::Text, Kind::Text, Kind::Text])
}

/// Reads the stored answer.
///
/// # Errors
/// [`Error::KeyReused`] if the key was sent with another request.
pub(crate) fn read(key: &Key, rows: &[Vec<Cell>]) -> Result<Option<Answer>, Error> {
    let Some(
        [Cell::Text(fingerprint), Cell::Integer(status), Cell::Text(id), Cell::Text(etag), Cell::Text(body)],
    ) = rows.first().map(Vec::as_slice)
    else {
        return Ok(None);
    };
    if *fingerprint != key.fingerprint {
        return Err(Error::KeyReused);
    }
    let status = u16::try_from(*status).unwrap_or(200);
    Ok(Some(Answer { status, id: id.clone(), etag: etag.clone(), body: body.clone() }))
}

/// Keeps the answer, and forgets those that are too old.
pub(crate) fn keep(dialect: Dialect, key: &Key, answer: &Answer, now: Timestamp) -> [Statement; 2] {
    let mut forget = Statement::new(dialect);
    forget.push("DELETE FROM idempotency WHERE created_at <= ");
    forget.bind(Cell::Integer(now.before(KEPT).as_microseconds()));
    let mut insert = Statement::new(dialect);
    insert.push(
        "INSERT INTO idempotency (organization_id, principal, key, fingerprint, status, record, etag, body, created_at) VALUES (",
    );
    insert.bind_all([
        Cell::Uuid(key.organization.as_uuid()),
        Cell::Text(key.principal.clone()),
        Cell::Text(key.key.clone()),
        Cell::Text(key.fingerprint.clone()),
        Cell::Integer(i64::from(answer.status)),
        Cell::Text(answer.id.clone()),
        Cell::Text(answer.etag.clone()),
        Cell::Text(answer.body.clone()),
        Cell::Integer(now.as_microseconds()),
    ]);
    insert.push(")");
    [forget, insert]
}
