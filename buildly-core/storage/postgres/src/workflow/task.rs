//! People's work.

use buildly_model::StoreError;
use buildly_workflow::{Command, Doer, Stepped, StoredTask};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::row::{
    activation, execute, instant, json, micros, optional_instant, organization, parsed, run, signed, to_json,
    version,
};

/// The columns of a task. The place in lists comes last.
pub(super) const COLUMNS: &str = "organization_id, run_id, activation, template, template_version, level, \
    group_name, user_name, claimed_by, shown, due, status, created_at, number";

pub(super) fn read(row: &PgRow) -> sqlx::Result<StoredTask> {
    Ok(StoredTask {
        organization: organization(row)?,
        run: run(row, "run_id")?,
        activation: activation(row)?,
        template: row.try_get("template")?,
        template_version: version(row, "template_version")?,
        level: row.try_get("level")?,
        group: row.try_get("group_name")?,
        user: row.try_get("user_name")?,
        claimed_by: row.try_get("claimed_by")?,
        show: json(row, "shown")?,
        due: optional_instant(row, "due")?,
        status: parsed(row, "status")?,
        created_at: instant(row, "created_at")?,
    })
}

/// The condition that a task is somebody's and nobody else has taken it.
pub(super) fn may_do(query: &mut QueryBuilder<Postgres>, doer: &Doer) {
    query.push("(claimed_by IS NULL OR claimed_by = ").push_bind(doer.actor.clone());
    query.push(") AND (user_name = ANY (").push_bind(doer.names.clone());
    query.push(") OR group_name = ANY (").push_bind(doer.groups.clone()).push("))");
}

/// A level that is begun anew under its old number gives its task out again.
const OPEN: &str = "
    INSERT INTO workflow_task
        (organization_id, run_id, activation, template, template_version, level, group_name, user_name,
         shown, due, status, created_at)
    SELECT organization_id, id, $3, template, template_version, $4, $5, $6, $7, $8, 'open', $9
    FROM workflow_run WHERE organization_id = $1 AND number = $2
    ON CONFLICT (organization_id, run_id, activation) DO UPDATE
    SET level = excluded.level, group_name = excluded.group_name, user_name = excluded.user_name,
        claimed_by = NULL, shown = excluded.shown, due = excluded.due, status = excluded.status,
        created_at = excluded.created_at";
const CLAIM: &str = "
    UPDATE workflow_task SET claimed_by = $4, status = 'claimed'
    WHERE organization_id = $1 AND run_id = $2 AND activation = $3 AND status <> 'closed'";
const CLOSE: &str = "
    UPDATE workflow_task SET status = 'closed'
    WHERE organization_id = $1 AND run_id = $2 AND activation = $3 AND status <> 'closed'";

/// Applies the commands of a step that are about tasks, in order; `number` is that of the run's row.
pub(super) async fn apply(
    tx: &mut PgConnection,
    organization: Uuid,
    number: i64,
    stepped: &Stepped,
) -> Result<(), StoreError> {
    let of_task = |sql: &'static str, activation: &buildly_workflow::ActivationId| {
        sqlx::query(sql).bind(organization).bind(stepped.run.as_uuid()).bind(signed(activation.0))
    };
    for command in &stepped.tasks {
        let statement = match command {
            Command::OpenTask { activation, level, group, user, show, due } => sqlx::query(OPEN)
                .bind(organization)
                .bind(number)
                .bind(signed(activation.0))
                .bind(level)
                .bind(group)
                .bind(user.as_deref().map(without_null))
                .bind(to_json(show)?)
                .bind(micros(*due))
                .bind(stepped.at.as_microseconds()),
            Command::ClaimTask { activation, by } => of_task(CLAIM, activation).bind(by),
            Command::CloseTask { activation } => of_task(CLOSE, activation),
            // Changes of their own, in the same unit.
            Command::StartRun { .. } | Command::CancelRun { .. } => continue,
        };
        if execute(tx, statement).await? == 0 {
            return Err(StoreError::Missing { what: "task" });
        }
    }
    Ok(())
}

/// PostgreSQL keeps no null characters in texts. An expression may have made one; nobody's name
/// has any, so that nobody is meant in either form.
fn without_null(name: &str) -> String {
    name.replace('\0', "\u{FFFD}")
}

pub(super) const FIND: &str = "
    SELECT organization_id, run_id, activation, template, template_version, level, group_name, user_name,
           claimed_by, shown, due, status, created_at
    FROM workflow_task WHERE organization_id = $1 AND run_id = $2 AND activation = $3";
