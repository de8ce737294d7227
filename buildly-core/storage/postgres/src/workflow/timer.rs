//! Timers: rows, of which the earliest are read.

use buildly_model::{RunId, StoreError, Timestamp};
use buildly_workflow::{ActivationId, DueTimer, Timer, TimerKind};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::row::{activation, execute, instant, organization, parsed, run, signed};

const SET: &str = "
    INSERT INTO workflow_timer (organization_id, run_id, activation, kind, due) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (organization_id, run_id, activation, kind) DO UPDATE SET due = excluded.due";
const UNSET: &str = "
    DELETE FROM workflow_timer
    WHERE organization_id = $1 AND run_id = $2 AND activation = $3 AND kind = $4";

/// Sets and removes timers, in order.
pub(super) async fn set(
    tx: &mut PgConnection,
    organization: Uuid,
    run: RunId,
    timers: &[Timer],
) -> Result<(), StoreError> {
    for Timer { activation, kind, due } in timers {
        let sql = if due.is_some() { SET } else { UNSET };
        let set = sqlx::query(sql)
            .bind(organization)
            .bind(run.as_uuid())
            .bind(signed(activation.0))
            .bind(kind.name());
        let set = match due {
            Some(due) => set.bind(due.as_microseconds()),
            None => set,
        };
        execute(tx, set).await?;
    }
    Ok(())
}

const REMOVE: &str = "
    DELETE FROM workflow_timer
    WHERE organization_id = $1 AND run_id = $2 AND activation = $3 AND kind = $4 AND due = $5";

pub(super) async fn remove(
    tx: &mut PgConnection,
    organization: Uuid,
    run: RunId,
    activation: ActivationId,
    kind: TimerKind,
    due: Timestamp,
) -> Result<bool, StoreError> {
    let remove = sqlx::query(REMOVE)
        .bind(organization)
        .bind(run.as_uuid())
        .bind(signed(activation.0))
        .bind(kind.name())
        .bind(due.as_microseconds());
    Ok(execute(tx, remove).await? > 0)
}

/// The work of all organizations.
pub(super) const DUE: &str = "
    SELECT organization_id, run_id, activation, kind, due FROM workflow_timer
    WHERE due <= $1 AND (due, run_id) > ($2, $3) ORDER BY due, run_id LIMIT $4";

pub(super) const NEXT: &str = "SELECT due FROM workflow_timer ORDER BY due LIMIT 1";

pub(super) fn read(row: &PgRow) -> sqlx::Result<DueTimer> {
    Ok(DueTimer {
        organization: organization(row)?,
        run: run(row, "run_id")?,
        activation: activation(row)?,
        kind: parsed(row, "kind")?,
        due: instant(row, "due")?,
    })
}
