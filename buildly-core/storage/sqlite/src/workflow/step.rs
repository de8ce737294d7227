//! What a step did to a run: all of it or nothing.

use std::time::Duration;

use buildly_model::StoreError;
use buildly_workflow::{Stepped, Used};
use rusqlite::{Connection, params};

use super::row::{execute, first, signed, to_json};
use super::{effect, inbox, run, task, timer};

const MOVE: &str = "
    UPDATE workflow_run
    SET version = version + 1, events = events + ?4, state = ?5, status = ?6, updated_at = ?7,
        ended_at = CASE WHEN ?8 THEN ?7 ELSE ended_at END
    WHERE organization_id = ?1 AND id = ?2 AND version = ?3
    RETURNING number, events";

const INSERT_EVENTS: &str = "
    INSERT INTO workflow_event (run_number, last, at, events) VALUES (?1, ?2, ?3, ?4)";

/// `now` is the time by which leases end.
pub(super) fn write(
    tx: &Connection,
    organization: &str,
    stepped: &Stepped,
    now: Duration,
) -> Result<(), StoreError> {
    let (run, at) = (stepped.run.to_string(), stepped.at.as_microseconds());
    let values = params![
        organization,
        run,
        signed(stepped.expected_version),
        signed(stepped.events.len() as u64),
        stepped.state,
        stepped.status.name(),
        at,
        stepped.is_ended,
    ];
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
    let Some((number, last)) = first(tx, MOVE, values, read)? else {
        return Err(refusal(tx, organization, stepped)?);
    };
    for used in &stepped.used {
        if !remove(tx, organization, &run, *used)? {
            return Err(gone(*used));
        }
    }
    if !stepped.events.is_empty() {
        execute(tx, INSERT_EVENTS, params![number, last, at, to_json(&stepped.events)?])?;
    }
    effect::insert(tx, organization, stepped, now)?;
    timer::set(tx, organization, &run, &stepped.timers)?;
    task::apply(tx, organization, number, stepped)
}

/// Why a run did not move on. That an input is used up says more than that the run has moved.
fn refusal(tx: &Connection, organization: &str, stepped: &Stepped) -> Result<StoreError, StoreError> {
    if !run::exists(tx, organization, stepped.run)? {
        return Ok(StoreError::Missing { what: "run" });
    }
    let run = stepped.run.to_string();
    for used in &stepped.used {
        if !remove(tx, organization, &run, *used)? {
            return Ok(gone(*used));
        }
    }
    Ok(StoreError::Stale)
}

fn remove(tx: &Connection, organization: &str, run: &str, used: Used) -> Result<bool, StoreError> {
    match used {
        Used::Inbox(id) => inbox::remove(tx, organization, run, id),
        Used::Timer { activation, kind, due } => timer::remove(tx, organization, run, activation, kind, due),
        Used::Effect { id, epoch } => effect::remove(tx, organization, run, id, epoch),
    }
}

const fn gone(used: Used) -> StoreError {
    match used {
        Used::Inbox(_) => StoreError::Missing { what: "input" },
        Used::Timer { .. } => StoreError::Missing { what: "timer" },
        Used::Effect { .. } => StoreError::Missing { what: "effect" },
    }
}
