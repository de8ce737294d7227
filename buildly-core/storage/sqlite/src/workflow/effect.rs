//! Calls that are to be performed, and who holds them.

use buildly_model::{OrganizationId, RunId, StoreError};
use buildly_workflow::{Effect, EffectId};
use rusqlite::{Connection, Row, params};

use super::row::{all, execute, first, json, parsed, signed, to_json};

const INSERT: &str = "
    INSERT INTO workflow_effect (organization_id, run_id, effect, epoch) VALUES (?1, ?2, ?3, 0)";

pub(super) fn insert(
    tx: &Connection,
    organization: &str,
    run: &str,
    effects: &[Effect],
) -> Result<(), StoreError> {
    for effect in effects {
        execute(tx, INSERT, params![organization, run, to_json(effect)?])?;
    }
    Ok(())
}

const REMOVE: &str = "
    DELETE FROM workflow_effect
    WHERE organization_id = ?1 AND run_id = ?2 AND number = ?3 AND epoch = ?4";

pub(super) fn remove(
    tx: &Connection,
    organization: &str,
    run: &str,
    id: EffectId,
    epoch: u64,
) -> Result<bool, StoreError> {
    Ok(execute(tx, REMOVE, params![organization, run, signed(id.0), signed(epoch)])? > 0)
}

/// The work of all organizations.
const FREE: &str = "
    UPDATE workflow_effect SET owner = NULL, leased_until = NULL
    WHERE owner IS NOT NULL
      AND (leased_until <= ?1 OR owner NOT IN (SELECT value FROM json_each(?2)))";

/// Ends the leases whose time is over, and those of owners that are not among `live`.
pub(super) fn free(tx: &Connection, now: i64, live: &str) -> Result<(), StoreError> {
    execute(tx, FREE, params![now, live]).map(drop)
}

/// Found by the index of free effects, however many an organization has.
const NEXT_ORGANIZATION: &str = "
    SELECT organization_id FROM workflow_effect
    WHERE owner IS NULL AND organization_id > ?1 ORDER BY organization_id LIMIT 1";

/// The next organization after `after` that has something nobody holds.
pub(super) fn next_organization(tx: &Connection, after: &str) -> Result<Option<String>, StoreError> {
    first(tx, NEXT_ORGANIZATION, [after], |row| row.get(0))
}

/// A row that somebody has just taken.
pub(super) struct Taken {
    pub(super) id: EffectId,
    pub(super) organization: OrganizationId,
    pub(super) run: RunId,
    pub(super) epoch: u64,
    /// `None` if this program cannot read it.
    pub(super) effect: Option<Effect>,
}

const TAKE: &str = "
    UPDATE workflow_effect SET owner = ?2, leased_until = ?3, epoch = epoch + 1
    WHERE number IN (
        SELECT number FROM workflow_effect WHERE owner IS NULL AND organization_id = ?1
        ORDER BY number LIMIT ?4)
    RETURNING number, organization_id, run_id, epoch, effect";

/// Takes the oldest free effects of an organization.
pub(super) fn take(
    tx: &Connection,
    organization: &str,
    owner: &str,
    leased_until: i64,
    effects_max: usize,
) -> Result<Vec<Taken>, StoreError> {
    let values = params![organization, owner, leased_until, signed(effects_max as u64)];
    let mut taken = all(tx, TAKE, values, read)?;
    taken.sort_unstable_by_key(|taken| taken.id);
    Ok(taken)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Taken> {
    let id = EffectId(row.get(0)?);
    let effect = json(row, 4);
    if let Err(error) = &effect {
        // Of a newer program, perhaps. It must not hold up all the others.
        tracing::error!(%error, effect = id.0, "an effect cannot be read; it is not performed");
    }
    let (organization, run, epoch) = (parsed(row, 1)?, parsed(row, 2)?, row.get(3)?);
    Ok(Taken { id, organization, run, epoch, effect: effect.ok() })
}

const GIVE_BACK: &str = "
    UPDATE workflow_effect SET owner = NULL, leased_until = NULL WHERE number = ?1 AND epoch = ?2";

pub(super) fn give_back(tx: &Connection, effect: EffectId, epoch: u64) -> Result<(), StoreError> {
    execute(tx, GIVE_BACK, params![signed(effect.0), signed(epoch)]).map(drop)
}
