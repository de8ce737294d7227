//! Calls that are to be performed, and who holds them.

use buildly_model::{RunId, StoreError};
use buildly_workflow::{Effect, EffectId, Leased};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use std::time::Duration;
use uuid::Uuid;

use super::row::{count, execute, json, organization, run, signed};

const REMOVE: &str = "
    DELETE FROM workflow_effect WHERE organization_id = $1 AND run_id = $2 AND number = $3 AND epoch = $4";

pub(super) async fn remove(
    tx: &mut PgConnection,
    organization: Uuid,
    run: RunId,
    id: EffectId,
    epoch: u64,
) -> Result<bool, StoreError> {
    let remove =
        sqlx::query(REMOVE).bind(organization).bind(run.as_uuid()).bind(signed(id.0)).bind(signed(epoch));
    Ok(execute(tx, remove).await? > 0)
}

/// Ends the leases whose time is over by the database's clock, and those of nodes that are gone.
pub(super) const FREE: &str = "
    WITH over AS MATERIALIZED (
        SELECT number FROM workflow_effect
        WHERE owner IS NOT NULL
          AND (leased_until <= clock_timestamp() OR NOT EXISTS (SELECT 1 FROM node WHERE node.id = owner))
        FOR UPDATE SKIP LOCKED)
    UPDATE workflow_effect AS effect SET owner = NULL, leased_until = NULL
    FROM over WHERE effect.number = over.number";

/// The organizations with something that nobody holds, those after `$2` first; each is found by
/// the index of free effects, however many it has. None for a node without a lease of its own.
pub(super) const ORGANIZATIONS: &str = "
    WITH RECURSIVE later (id) AS (
        (SELECT organization_id FROM workflow_effect
         WHERE owner IS NULL AND organization_id > $2 ORDER BY organization_id LIMIT 1)
        UNION ALL
        SELECT next.organization_id FROM later CROSS JOIN LATERAL (
            SELECT organization_id FROM workflow_effect
            WHERE owner IS NULL AND organization_id > later.id ORDER BY organization_id LIMIT 1) AS next
    ), sooner (id) AS (
        (SELECT organization_id FROM workflow_effect
         WHERE owner IS NULL AND organization_id <= $2 ORDER BY organization_id LIMIT 1)
        UNION ALL
        SELECT next.organization_id FROM sooner CROSS JOIN LATERAL (
            SELECT organization_id FROM workflow_effect
            WHERE owner IS NULL AND organization_id > sooner.id AND organization_id <= $2
            ORDER BY organization_id LIMIT 1) AS next
    )
    SELECT id FROM (SELECT id FROM later UNION ALL SELECT id FROM sooner) AS ready
    WHERE EXISTS (SELECT 1 FROM node WHERE node.id = $1)
    LIMIT $3";

/// The oldest free effects of each organization, but those that another node is taking.
pub(super) const TAKE: &str = "
    WITH chosen AS MATERIALIZED (
        SELECT one.number FROM unnest($3::uuid[]) AS organization (id)
        CROSS JOIN LATERAL (
            SELECT number FROM workflow_effect
            WHERE organization_id = organization.id AND owner IS NULL
            ORDER BY number LIMIT $4 FOR UPDATE SKIP LOCKED) AS one)
    UPDATE workflow_effect AS effect
    SET owner = $1, epoch = epoch + 1, leased_until = clock_timestamp() + $2 * interval '1 microsecond'
    FROM chosen WHERE effect.number = chosen.number
    RETURNING effect.number, effect.organization_id, effect.run_id, effect.epoch, effect.effect";

/// A row that was just taken, with its organization; nothing but that of one that this program
/// cannot read.
pub(super) fn read_taken(row: &PgRow, lease_left: Duration) -> sqlx::Result<(Uuid, u64, Option<Leased>)> {
    let (id, organization) = (count(row, "number")?, organization(row)?);
    let (run, epoch) = (run(row, "run_id")?, count(row, "epoch")?);
    let effect: sqlx::Result<Effect> = json(row, "effect");
    if let Err(error) = &effect {
        // Of a newer program, perhaps. It must not hold up all the others.
        tracing::error!(%error, effect = id, "an effect cannot be read; it is not performed");
    }
    let leased = |effect| Leased { id: EffectId(id), organization, run, effect, epoch, lease_left };
    Ok((organization.as_uuid(), id, effect.ok().map(leased)))
}

pub(super) const GIVE_BACK: &str = "
    UPDATE workflow_effect SET owner = NULL, leased_until = NULL WHERE number = $1 AND epoch = $2";
