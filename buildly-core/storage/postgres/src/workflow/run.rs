//! Runs: begun, found, and what happened in them.

use buildly_model::{RunId, StoreError, Timestamp};
use buildly_workflow::{Event, RunSummary, StoredRun};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::row::{
    count, instant, json, micros, optional_instant, optional_run, organization, parsed, signed, version,
};
use crate::engine::{store_error, unique};

/// The key of the input that begins a run.
pub(super) const START: &str = "start";

/// The columns of a run without its state. The place in lists comes last.
pub(super) const COLUMNS: &str = "id, organization_id, template, template_version, status, business_key, \
    starter, parent_id, parent_activation, created_at, updated_at, ended_at, number";

pub(super) fn summary(row: &PgRow) -> sqlx::Result<RunSummary> {
    let parent = match optional_run(row, "parent_id")? {
        Some(parent) => Some((parent, buildly_workflow::ActivationId(count(row, "parent_activation")?))),
        None => None,
    };
    Ok(RunSummary {
        id: super::row::run(row, "id")?,
        organization: organization(row)?,
        template: row.try_get("template")?,
        template_version: version(row, "template_version")?,
        status: parsed(row, "status")?,
        business_key: row.try_get("business_key")?,
        starter: row.try_get("starter")?,
        parent,
        created_at: instant(row, "created_at")?,
        updated_at: instant(row, "updated_at")?,
        ended_at: optional_instant(row, "ended_at")?,
    })
}

pub(super) fn stored(row: &PgRow) -> sqlx::Result<StoredRun> {
    let (version, events) = (count(row, "version")?, count(row, "events")?);
    Ok(StoredRun { summary: summary(row)?, version, events, state: row.try_get("state")? })
}

const UNIQUE: &[(&str, &str)] = &[("workflow_run_start", "key"), ("workflow_run_id_key", "id")];

const INSERT: &str = "
    INSERT INTO workflow_run
        (id, organization_id, template, template_version, status, business_key, start_key, starter,
         parent_id, parent_activation, created_at, updated_at, ended_at, version, events, state)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, $14)";

pub(super) async fn start(
    tx: &mut PgConnection,
    organization: Uuid,
    run: &RunSummary,
    start_key: Option<&str>,
    state: &str,
) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(run.id.as_uuid())
        .bind(organization)
        .bind(&run.template)
        .bind(i64::from(run.template_version))
        .bind(run.status.name())
        .bind(&run.business_key)
        .bind(start_key)
        .bind(&run.starter)
        .bind(run.parent.map(|(parent, _)| parent.as_uuid()))
        .bind(run.parent.map(|(_, activation)| signed(activation.0)))
        .bind(run.created_at.as_microseconds())
        .bind(run.updated_at.as_microseconds())
        .bind(micros(run.ended_at))
        .bind(state);
    insert.execute(tx).await.map(drop).map_err(|error| unique(error, UNIQUE))
}

pub(super) const FIND: &str = "
    SELECT id, organization_id, template, template_version, status, business_key, starter, parent_id,
           parent_activation, created_at, updated_at, ended_at, version, events, state
    FROM workflow_run WHERE organization_id = $1 AND id = $2";

pub(super) const FIND_STARTED: &str = "
    SELECT id, organization_id, template, template_version, status, business_key, starter, parent_id,
           parent_activation, created_at, updated_at, ended_at, version, events, state
    FROM workflow_run WHERE organization_id = $1 AND start_key = $2";

const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM workflow_run WHERE organization_id = $1 AND id = $2)";

pub(super) async fn exists(
    tx: &mut PgConnection,
    organization: Uuid,
    run: RunId,
) -> Result<bool, StoreError> {
    let exists = sqlx::query_scalar(EXISTS).bind(organization).bind(run.as_uuid());
    exists.fetch_one(tx).await.map_err(store_error)
}

/// The events of one step after another; each step has at least one.
pub(super) const EVENTS: &str = "
    SELECT event.last, event.at, event.events
    FROM workflow_run AS run JOIN workflow_event AS event ON event.run_number = run.number
    WHERE run.organization_id = $1 AND run.id = $2 AND event.last > $3
    ORDER BY event.last LIMIT $4";

/// The events of one step with their numbers, and when it was.
pub(super) fn of_step(row: &PgRow) -> sqlx::Result<(Vec<(u64, Event)>, Timestamp)> {
    let (last, events): (u64, Vec<Event>) = (count(row, "last")?, json(row, "events")?);
    let before = last.saturating_sub(events.len() as u64);
    Ok(((before + 1..).zip(events).collect(), instant(row, "at")?))
}
