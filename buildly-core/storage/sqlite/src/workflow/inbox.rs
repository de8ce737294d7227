//! Inputs that wait for their run.

use buildly_model::{RunId, StoreError, Timestamp};
use buildly_workflow::{InboxId, Input, Rows, Waiting};
use rusqlite::{Connection, Row, params};

use super::row::{execute, json, parsed, signed, to_json};
use super::run;
use crate::engine::store_error;

const QUEUE: &str = "
    INSERT INTO workflow_inbox (organization_id, run_id, key, at, input)
    SELECT organization_id, id, ?3, ?4, ?5 FROM workflow_run WHERE organization_id = ?1 AND id = ?2
    ON CONFLICT (organization_id, run_id, key) DO NOTHING";

pub(super) fn queue(
    tx: &Connection,
    organization: &str,
    run: RunId,
    key: &str,
    at: Timestamp,
    input: &Input,
) -> Result<(), StoreError> {
    let values = params![organization, run.to_string(), key, at.as_microseconds(), to_json(input)?];
    if execute(tx, QUEUE, values)? == 0 && !run::exists(tx, organization, run)? {
        return Err(StoreError::Missing { what: "run" });
    }
    Ok(())
}

const REMOVE: &str = "
    DELETE FROM workflow_inbox WHERE organization_id = ?1 AND run_id = ?2 AND number = ?3";

pub(super) fn remove(
    tx: &Connection,
    organization: &str,
    run: &str,
    id: InboxId,
) -> Result<bool, StoreError> {
    Ok(execute(tx, REMOVE, params![organization, run, signed(id.0)])? > 0)
}

/// The work of all organizations.
const WAITING: &str = "
    SELECT number, organization_id, run_id, input FROM workflow_inbox
    WHERE number > ?1 ORDER BY number LIMIT ?2";

pub(super) fn waiting(
    tx: &Connection,
    after: Option<u64>,
    rows_max: u32,
) -> Result<Rows<Waiting>, StoreError> {
    let mut statement = tx.prepare_cached(WAITING).map_err(store_error)?;
    let mut rows = statement.query(params![signed(after.unwrap_or(0)), rows_max]).map_err(store_error)?;
    let mut waiting = Rows::default();
    let mut read_rows = 0;
    while let Some(row) = rows.next().map_err(store_error)? {
        read_rows += 1;
        if read_rows == rows_max {
            waiting.next = Some(row.get(0).map_err(store_error)?);
        }
        match read(row) {
            Ok(input) => waiting.rows.push(input),
            // Of a newer program, perhaps. It must not hold up all the others.
            Err(error) => tracing::error!(%error, "an input of a run cannot be read; it stays in the inbox"),
        }
    }
    Ok(waiting)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting {
        id: InboxId(row.get(0)?),
        organization: parsed(row, 1)?,
        run: parsed(row, 2)?,
        input: json(row, 3)?,
    })
}
