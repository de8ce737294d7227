//! The SQL of the journal: chains, heads, feed, history.

mod feed;
mod history;
mod row;

use buildly_journal::{Chain, StoredEvent};
use buildly_model::{OrganizationId, Revision, StoreError};
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::engine::store_error;

const HEAD: &str = "SELECT sequence, hash FROM journal_head WHERE organization_id = ?1";

/// The end of one chain.
pub(crate) fn head(tx: &Connection, organization: Option<OrganizationId>) -> Result<Chain, StoreError> {
    let mut statement = tx.prepare_cached(HEAD).map_err(store_error)?;
    let chain = statement.query_row([chain_key(organization)?], |row| {
        Ok(Chain { organization, sequence: row.get(0)?, hash: row::hash(row, 1)? })
    });
    Ok(chain.optional().map_err(store_error)?.unwrap_or_else(|| Chain::empty(organization)))
}

const PUT_HEAD: &str = "
    INSERT INTO journal_head (organization_id, sequence, hash) VALUES (?1, ?2, ?3)
    ON CONFLICT (organization_id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash";

/// Moves the end of one chain on.
pub(crate) fn put_head(tx: &Connection, chain: &Chain) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(PUT_HEAD).map_err(store_error)?;
    statement
        .execute(params![chain_key(chain.organization)?, chain.sequence, chain.hash.0])
        .map_err(store_error)?;
    Ok(())
}

const INSERT: &str = "
    INSERT INTO journal (organization_id, sequence, event_id, kind, subject, actor, at,
                         payload, salt, payload_digest, previous, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/// Writes one event at the end of the journal.
pub(crate) fn insert(tx: &Connection, event: &StoredEvent) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(INSERT).map_err(store_error)?;
    statement
        .execute(params![
            chain_key(event.organization)?,
            event.sequence,
            event.id.to_string(),
            event.kind,
            event.subject,
            event.actor,
            event.at.as_microseconds(),
            event.payload,
            event.salt.0,
            event.payload_digest.0,
            event.previous.0,
            event.hash.0,
        ])
        .map_err(store_error)?;
    Ok(())
}

const END: &str = "SELECT coalesce(max(position), 0) FROM journal";

/// The revision of everything that is written now.
pub(crate) fn end(tx: &Connection) -> Result<Revision, StoreError> {
    let mut statement = tx.prepare_cached(END).map_err(store_error)?;
    statement.query_row([], |row| row.get(0)).map(Revision::new).map_err(store_error)
}

/// The nil UUID stands for the deployment's own chain, so nobody's organization may have it.
pub(crate) fn chain_key(organization: Option<OrganizationId>) -> Result<String, StoreError> {
    match organization {
        None => Ok(Uuid::nil().to_string()),
        Some(organization) if organization.as_uuid().is_nil() => {
            Err(StoreError::Missing { what: "organization" })
        }
        Some(organization) => Ok(organization.to_string()),
    }
}
