//! People's work.

use buildly_model::{RunId, StoreError};
use buildly_workflow::{ActivationId, Command, Stepped, StoredTask};
use rusqlite::{Connection, Row, params};

use super::row::{execute, first, instant, json, micros, optional_instant, parsed, signed, to_json};

/// The columns of a task, in the order of [`read`]. The place in lists comes last.
pub(super) const COLUMNS: &str = "organization_id, run_id, activation, template, template_version, level, \
    group_name, user_name, claimed_by, shown, due, status, created_at, number";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<StoredTask> {
    Ok(StoredTask {
        organization: parsed(row, 0)?,
        run: parsed(row, 1)?,
        activation: ActivationId(row.get(2)?),
        template: row.get(3)?,
        template_version: row.get(4)?,
        level: row.get(5)?,
        group: row.get(6)?,
        user: row.get(7)?,
        claimed_by: row.get(8)?,
        show: json(row, 9)?,
        due: optional_instant(row, 10)?,
        status: parsed(row, 11)?,
        created_at: instant(row, 12)?,
    })
}

/// A level that is begun anew under its old number gives its task out again.
const OPEN: &str = "
    INSERT INTO workflow_task
        (organization_id, run_id, activation, template, template_version, level, group_name, user_name,
         shown, due, status, created_at)
    SELECT organization_id, id, ?3, template, template_version, ?4, ?5, ?6, ?7, ?8, 'open', ?9
    FROM workflow_run WHERE organization_id = ?1 AND number = ?2
    ON CONFLICT (organization_id, run_id, activation) DO UPDATE
    SET level = excluded.level, group_name = excluded.group_name, user_name = excluded.user_name,
        claimed_by = NULL, shown = excluded.shown, due = excluded.due, status = excluded.status,
        created_at = excluded.created_at";
const CLAIM: &str = "
    UPDATE workflow_task SET claimed_by = ?4, status = 'claimed'
    WHERE organization_id = ?1 AND run_id = ?2 AND activation = ?3 AND status <> 'closed'";
const CLOSE: &str = "
    UPDATE workflow_task SET status = 'closed'
    WHERE organization_id = ?1 AND run_id = ?2 AND activation = ?3 AND status <> 'closed'";

/// Applies the commands of a step that are about tasks, in order; `number` is that of the run's row.
pub(super) fn apply(
    tx: &Connection,
    organization: &str,
    number: i64,
    stepped: &Stepped,
) -> Result<(), StoreError> {
    let run = stepped.run.to_string();
    for command in &stepped.tasks {
        let changed = match command {
            Command::OpenTask { activation, level, group, user, show, due } => {
                let values = params![
                    organization,
                    number,
                    signed(activation.0),
                    level,
                    group,
                    user,
                    to_json(show)?,
                    micros(*due),
                    stepped.at.as_microseconds(),
                ];
                execute(tx, OPEN, values)?
            }
            Command::ClaimTask { activation, by } => {
                execute(tx, CLAIM, params![organization, run, signed(activation.0), by])?
            }
            Command::CloseTask { activation } => {
                execute(tx, CLOSE, params![organization, run, signed(activation.0)])?
            }
            // Changes of their own, in the same unit.
            Command::StartRun { .. } | Command::CancelRun { .. } => continue,
        };
        if changed == 0 {
            return Err(StoreError::Missing { what: "task" });
        }
    }
    Ok(())
}

const FIND: &str = "
    SELECT organization_id, run_id, activation, template, template_version, level, group_name, user_name,
           claimed_by, shown, due, status, created_at, number
    FROM workflow_task WHERE organization_id = ?1 AND run_id = ?2 AND activation = ?3";

pub(super) fn find(
    tx: &Connection,
    organization: &str,
    run: RunId,
    activation: ActivationId,
) -> Result<Option<StoredTask>, StoreError> {
    first(tx, FIND, params![organization, run.to_string(), signed(activation.0)], read)
}
