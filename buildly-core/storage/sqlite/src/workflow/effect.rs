//! Calls that are to be performed, and who holds them.

use buildly_model::{OrganizationId, RunId, StoreError};
use std::time::Duration;

use buildly_workflow::{Effect, EffectId, Stepped};
use rusqlite::{Connection, Row, params};

use super::row::{all, execute, first, json, parsed, signed, to_json};
use crate::engine::{store_error, unique};

const INSERT: &str = "
    INSERT INTO workflow_effect (number, organization_id, run_id, effect, epoch, owner, leased_until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// `now` is the time by which leases end.
pub(super) fn insert(
    tx: &Connection,
    organization: &str,
    stepped: &Stepped,
    now: Duration,
) -> Result<(), StoreError> {
    if stepped.effects.is_empty() {
        return Ok(());
    }
    let mut statement = tx.prepare_cached(INSERT).map_err(store_error)?;
    let (run, held) = (stepped.run.to_string(), stepped.held);
    let owner = held.map(|held| held.owner.to_string());
    let leased_until = held.map(|held| micros(now.saturating_add(held.lease)));
    for (number, effect) in (stepped.first_effect.0..).zip(&stepped.effects) {
        let epoch = i64::from(held.is_some());
        let values = params![signed(number), organization, run, to_json(effect)?, epoch, owner, leased_until];
        statement.execute(values).map_err(|error| unique(error, UNIQUE))?;
    }
    Ok(())
}

const UNIQUE: &[(&str, &str)] = &[("workflow_effect.number", "effect")];

/// A moment of the clock that leases are counted by.
pub(super) fn micros(since: Duration) -> i64 {
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
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
