//! Timers: rows, of which the earliest are read.

use buildly_model::{RunId, StoreError, Timestamp};
use buildly_workflow::{ActivationId, DueTimer, Timer, TimerKind};
use rusqlite::{Connection, Row, params};

use super::row::{all, execute, first, instant, parsed, signed};

const SET: &str = "
    INSERT INTO workflow_timer (organization_id, run_id, activation, kind, due) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (organization_id, run_id, activation, kind) DO UPDATE SET due = excluded.due";
const UNSET: &str = "
    DELETE FROM workflow_timer
    WHERE organization_id = ?1 AND run_id = ?2 AND activation = ?3 AND kind = ?4";

/// Sets and removes timers, in order.
pub(super) fn set(
    tx: &Connection,
    organization: &str,
    run: &str,
    timers: &[Timer],
) -> Result<(), StoreError> {
    for Timer { activation, kind, due } in timers {
        let (activation, kind) = (signed(activation.0), kind.name());
        match due {
            Some(due) => {
                execute(tx, SET, params![organization, run, activation, kind, due.as_microseconds()])?
            }
            None => execute(tx, UNSET, params![organization, run, activation, kind])?,
        };
    }
    Ok(())
}

const REMOVE: &str = "
    DELETE FROM workflow_timer
    WHERE organization_id = ?1 AND run_id = ?2 AND activation = ?3 AND kind = ?4 AND due = ?5";

pub(super) fn remove(
    tx: &Connection,
    organization: &str,
    run: &str,
    activation: ActivationId,
    kind: TimerKind,
    due: Timestamp,
) -> Result<bool, StoreError> {
    let values = params![organization, run, signed(activation.0), kind.name(), due.as_microseconds()];
    Ok(execute(tx, REMOVE, values)? > 0)
}

/// The work of all organizations.
const DUE: &str = "
    SELECT organization_id, run_id, activation, kind, due FROM workflow_timer
    WHERE due <= ?1 AND (due, run_id) > (?2, ?3) ORDER BY due, run_id LIMIT ?4";

pub(super) fn due(
    tx: &Connection,
    now: Timestamp,
    after: Option<(Timestamp, RunId)>,
    rows_max: u32,
) -> Result<Vec<DueTimer>, StoreError> {
    let (due, run) = match after {
        Some((due, run)) => (due.as_microseconds(), run.to_string()),
        None => (i64::MIN, String::new()),
    };
    all(tx, DUE, params![now.as_microseconds(), due, run, rows_max], read)
}

fn read(row: &Row<'_>) -> rusqlite::Result<DueTimer> {
    Ok(DueTimer {
        organization: parsed(row, 0)?,
        run: parsed(row, 1)?,
        activation: ActivationId(row.get(2)?),
        kind: parsed(row, 3)?,
        due: instant(row, 4)?,
    })
}

const NEXT: &str = "SELECT due FROM workflow_timer ORDER BY due LIMIT 1";

pub(super) fn next(tx: &Connection) -> Result<Option<Timestamp>, StoreError> {
    first(tx, NEXT, [], |row| instant(row, 0))
}
