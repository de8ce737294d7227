//! Runs: begun, found, and what happened in them.

use buildly_model::{RunId, StoreError};
use buildly_workflow::{ActivationId, Event, RunEvent, RunSummary, StoredRun};
use rusqlite::{Connection, Row, params};

use super::row::{first, instant, json, micros, optional, optional_instant, parsed, signed};
use crate::engine::{store_error, unique};

/// The key of the input that begins a run.
pub(super) const START: &str = "start";

/// The columns of a run without its state, in the order of [`summary`]. The place in lists comes last.
pub(super) const COLUMNS: &str = "id, organization_id, template, template_version, status, business_key, \
    starter, parent_id, parent_activation, created_at, updated_at, ended_at, number";

pub(super) fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    let parent: Option<RunId> = optional(row, 7)?;
    let activation: Option<u64> = row.get(8)?;
    Ok(RunSummary {
        id: parsed(row, 0)?,
        organization: parsed(row, 1)?,
        template: row.get(2)?,
        template_version: row.get(3)?,
        status: parsed(row, 4)?,
        business_key: row.get(5)?,
        starter: row.get(6)?,
        parent: parent.zip(activation.map(ActivationId)),
        created_at: instant(row, 9)?,
        updated_at: instant(row, 10)?,
        ended_at: optional_instant(row, 11)?,
    })
}

const UNIQUE: &[(&str, &str)] = &[("workflow_run.start_key", "key"), ("workflow_run.id", "id")];

const INSERT: &str = "
    INSERT INTO workflow_run
        (id, organization_id, template, template_version, status, business_key, start_key, starter,
         parent_id, parent_activation, created_at, updated_at, ended_at, version, events, state)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, 0, ?14)";

pub(super) fn start(
    tx: &Connection,
    organization: &str,
    run: &RunSummary,
    start_key: Option<&str>,
    state: &str,
) -> Result<(), StoreError> {
    let values = params![
        run.id.to_string(),
        organization,
        run.template,
        run.template_version,
        run.status.name(),
        run.business_key,
        start_key,
        run.starter,
        run.parent.map(|(parent, _)| parent.to_string()),
        run.parent.map(|(_, activation)| signed(activation.0)),
        run.created_at.as_microseconds(),
        run.updated_at.as_microseconds(),
        micros(run.ended_at),
        state,
    ];
    let mut statement = tx.prepare_cached(INSERT).map_err(store_error)?;
    statement.execute(values).map(drop).map_err(|error| unique(error, UNIQUE))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRun> {
    Ok(StoredRun { summary: summary(row)?, version: row.get(13)?, events: row.get(14)?, state: row.get(15)? })
}

const FIND: &str = "
    SELECT id, organization_id, template, template_version, status, business_key, starter, parent_id,
           parent_activation, created_at, updated_at, ended_at, number, version, events, state
    FROM workflow_run WHERE organization_id = ?1 AND id = ?2";

pub(super) fn find(tx: &Connection, organization: &str, run: RunId) -> Result<Option<StoredRun>, StoreError> {
    first(tx, FIND, params![organization, run.to_string()], stored)
}

const FIND_STARTED: &str = "
    SELECT id, organization_id, template, template_version, status, business_key, starter, parent_id,
           parent_activation, created_at, updated_at, ended_at, number, version, events, state
    FROM workflow_run WHERE organization_id = ?1 AND start_key = ?2";

pub(super) fn find_started(
    tx: &Connection,
    organization: &str,
    start_key: &str,
) -> Result<Option<StoredRun>, StoreError> {
    first(tx, FIND_STARTED, params![organization, start_key], stored)
}

const EXISTS: &str = "SELECT 1 FROM workflow_run WHERE organization_id = ?1 AND id = ?2";

pub(super) fn exists(tx: &Connection, organization: &str, run: RunId) -> Result<bool, StoreError> {
    let mut statement = tx.prepare_cached(EXISTS).map_err(store_error)?;
    statement.exists(params![organization, run.to_string()]).map_err(store_error)
}

const EVENTS: &str = "
    SELECT event.last, event.at, event.events
    FROM workflow_run AS run JOIN workflow_event AS event ON event.run_number = run.number
    WHERE run.organization_id = ?1 AND run.id = ?2 AND event.last > ?3
    ORDER BY event.last";

pub(super) fn events(
    tx: &Connection,
    organization: &str,
    run: RunId,
    after: u64,
    rows_max: u32,
) -> Result<Vec<RunEvent>, StoreError> {
    let mut statement = tx.prepare_cached(EVENTS).map_err(store_error)?;
    let values = params![organization, run.to_string(), signed(after)];
    let mut rows = statement.query(values).map_err(store_error)?;
    let mut events = Vec::new();
    while events.len() < rows_max as usize
        && let Some(row) = rows.next().map_err(store_error)?
    {
        let (numbers, at) = of_step(row).map_err(store_error)?;
        let left = (rows_max as usize).saturating_sub(events.len());
        let fresh = numbers.into_iter().filter(|(number, _)| *number > after).take(left);
        events.extend(fresh.map(|(number, event)| RunEvent { number, at, event }));
    }
    Ok(events)
}

/// The events of one step with their numbers, and when it was.
fn of_step(row: &Row<'_>) -> rusqlite::Result<(Vec<(u64, Event)>, buildly_model::Timestamp)> {
    let (last, events): (u64, Vec<Event>) = (row.get(0)?, json(row, 2)?);
    let before = last.saturating_sub(events.len() as u64);
    Ok(((before + 1..).zip(events).collect(), instant(row, 1)?))
}
