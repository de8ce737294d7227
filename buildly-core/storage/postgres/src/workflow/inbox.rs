//! Inputs that wait for their run.

use buildly_model::{RunId, StoreError, Timestamp};
use buildly_workflow::{InboxId, Input, Waiting};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::row::{count, execute, json, organization, signed, to_json};
use super::run;

const QUEUE: &str = "
    INSERT INTO workflow_inbox (organization_id, run_id, key, at, input)
    SELECT organization_id, id, $3, $4, $5 FROM workflow_run WHERE organization_id = $1 AND id = $2
    ON CONFLICT (organization_id, run_id, key) DO NOTHING";

pub(super) async fn queue(
    tx: &mut PgConnection,
    organization: Uuid,
    run: RunId,
    key: &str,
    at: Timestamp,
    input: &Input,
) -> Result<(), StoreError> {
    let queue = sqlx::query(QUEUE)
        .bind(organization)
        .bind(run.as_uuid())
        .bind(key)
        .bind(at.as_microseconds())
        .bind(to_json(input)?);
    if execute(tx, queue).await? == 0 && !run::exists(tx, organization, run).await? {
        return Err(StoreError::Missing { what: "run" });
    }
    Ok(())
}

const REMOVE: &str = "
    DELETE FROM workflow_inbox WHERE organization_id = $1 AND run_id = $2 AND number = $3";

pub(super) async fn remove(
    tx: &mut PgConnection,
    organization: Uuid,
    run: RunId,
    id: InboxId,
) -> Result<bool, StoreError> {
    let remove = sqlx::query(REMOVE).bind(organization).bind(run.as_uuid()).bind(signed(id.0));
    Ok(execute(tx, remove).await? > 0)
}

/// The work of all organizations.
pub(super) const WAITING: &str = "
    SELECT number, organization_id, run_id, input FROM workflow_inbox
    WHERE number > $1 ORDER BY number LIMIT $2";

pub(super) fn read(row: &PgRow) -> sqlx::Result<Waiting> {
    Ok(Waiting {
        id: InboxId(count(row, "number")?),
        organization: organization(row)?,
        run: super::row::run(row, "run_id")?,
        input: json(row, "input")?,
    })
}
