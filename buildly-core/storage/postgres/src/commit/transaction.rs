//! One transaction with the units of many callers.
//!
//! First without savepoints, since refusals are rare; if a unit is refused, again with a
//! savepoint each. The ends of the chains are locked last, in the order of their ids, so
//! that nodes hold them for as short as possible and never in a circle.

use std::collections::{BTreeMap, BTreeSet};

use buildly_journal::{Part, StoredEvent};
use buildly_model::{Random, Revision, StoreError};
use buildly_unit::{Change, Unit};
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{Waiting, apply};
use crate::engine::{Trouble, store_error, trouble};
use crate::journal::{self, Heads, chain_key};
use crate::workflow::at_once::{self, Plain};

/// Why a transaction was not committed.
pub(super) enum Failure {
    /// Another transaction was in the way; this one was rolled back and may be tried again.
    Conflict(StoreError),
    /// A unit cannot be written, and which one is not known; all was rolled back.
    Refused(StoreError),
    /// The connection was lost before the commit: nothing was written.
    LostBefore(StoreError),
    /// The connection was lost, and whether the commit was carried out cannot be known.
    LostDuring(StoreError),
}

/// What became of each unit.
type Outcomes = Vec<Result<Revision, StoreError>>;

/// A transaction that is committed.
pub(super) struct Written {
    pub(super) revision: Revision,
    pub(super) outcomes: Outcomes,
    /// The ends of the chains that it moved.
    pub(super) ends: Heads,
}

/// The last numbers of chains, by the chain's key.
type Ends = BTreeMap<Uuid, u64>;

/// Writes the units; those that are refused leave no trace, the others are durable.
pub(super) async fn write(
    connection: &mut PgConnection,
    units: &[Waiting],
    random: &dyn Random,
) -> Result<Written, Failure> {
    let mut transaction = Transaction { connection, random, savepoints: false };
    if let Some(written) = transaction.attempt(units).await? {
        return Ok(written);
    }
    transaction.savepoints = true;
    let written = transaction.attempt(units).await?;
    written.ok_or_else(|| Failure::Refused(StoreError::corrupt("a unit could not be undone alone")))
}

struct Transaction<'a> {
    connection: &'a mut PgConnection,
    random: &'a dyn Random,
    savepoints: bool,
}

/// The lock comes before the transaction's id: followers find by it who may still write
/// events. It keeps nobody else from writing.
const BEGIN: &str = "BEGIN; LOCK TABLE journal IN ROW EXCLUSIVE MODE; SELECT pg_current_xact_id()::text";

impl Transaction<'_> {
    /// `None` if a unit was refused that cannot be undone alone; all was rolled back then.
    async fn attempt(&mut self, units: &[Waiting]) -> Result<Option<Written>, Failure> {
        let revision = self.begin().await?;
        let before = journal::sequences(self.connection, expected_chains(units)).await;
        let before = self.settle(before).await?;
        let mut ends = before.clone();
        let mut outcomes = Outcomes::with_capacity(units.len());
        let Some(written) = self.write_plain_steps(units).await? else {
            self.run("ROLLBACK").await?;
            return Ok(None);
        };
        for (place, Waiting { unit, .. }) in units.iter().enumerate() {
            // A stale expectation is found before anything is written, so nothing is to be undone.
            let outcome = match check(unit, &ends) {
                Err(stale) => Err(stale),
                Ok(()) if written.contains(&place) => Ok(()),
                Ok(()) => match self.apply_unit(unit).await? {
                    Err(refused) if !self.savepoints => {
                        self.run("ROLLBACK").await?;
                        let is_alone = units.len() == 1;
                        let outcomes = vec![Err(refused)];
                        let (revision, ends) = (Revision::ZERO, Heads::new());
                        return Ok(is_alone.then_some(Written { revision, outcomes, ends }));
                    }
                    outcome => outcome,
                },
            };
            if outcome.is_ok() {
                advance(unit, &mut ends);
            }
            outcomes.push(outcome.map(|()| revision));
        }
        let accepted = units.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        let parts: Vec<&Part<Change>> = accepted.flat_map(|(waiting, _)| &waiting.unit.parts).collect();
        let ends = self.append(&parts, &before).await?;
        let committed = sqlx::raw_sql("COMMIT").execute(&mut *self.connection).await;
        committed.map_err(|error| commit_failure(store_error(error)))?;
        Ok(Some(Written { revision, outcomes, ends }))
    }

    /// The transaction's id is the revision of all that it writes.
    async fn begin(&mut self) -> Result<Revision, Failure> {
        let row = sqlx::raw_sql(BEGIN).fetch_one(&mut *self.connection).await;
        let text = row.and_then(|row| row.try_get::<String, _>(0)).map_err(store_error);
        let number = text.and_then(|text| {
            text.parse().map_err(|_| StoreError::corrupt(format!("`{text}` is no transaction id")))
        });
        number.map(Revision::new).map_err(Failure::LostBefore)
    }

    /// Writes the units that are no more than a plain step of a run, together; their places.
    /// `None` if one of them cannot be written as it is.
    async fn write_plain_steps(&mut self, units: &[Waiting]) -> Result<Option<BTreeSet<usize>>, Failure> {
        let steps = units.iter().enumerate();
        let steps = steps.filter_map(|(place, waiting)| Some((place, plain_step(&waiting.unit)?)));
        let steps = if self.savepoints { Vec::new() } else { at_once::one_of_each_run(steps) };
        if steps.is_empty() {
            return Ok(Some(BTreeSet::new()));
        }
        let plain: Vec<_> = steps.iter().map(|(_, plain)| plain).collect();
        let mut left = plain.as_slice();
        while !left.is_empty() {
            let (now, later) = left.split_at(at_once::fitting(left));
            match at_once::write(self.connection, now).await {
                Ok(true) => left = later,
                Ok(false) => return Ok(None),
                Err(error) if trouble(&error) == Trouble::Refused => return Ok(None),
                Err(error) => return self.settle(Err(error)).await,
            }
        }
        Ok(Some(steps.iter().map(|(place, _)| *place).collect()))
    }

    /// The inner error is the unit's own: it left no trace if there are savepoints.
    async fn apply_unit(&mut self, unit: &Unit) -> Result<Result<(), StoreError>, Failure> {
        if self.savepoints {
            self.run("SAVEPOINT unit").await?;
        }
        let mut applied = Ok(());
        for part in &unit.parts {
            for change in &part.changes {
                if applied.is_ok() {
                    applied = apply(self.connection, part.organization, change).await;
                }
            }
        }
        if let Err(error) = &applied
            && trouble(error) != Trouble::Refused
        {
            self.settle(applied).await?;
            return Ok(Ok(()));
        }
        if self.savepoints {
            let end = if applied.is_ok() { "RELEASE unit" } else { "ROLLBACK TO unit; RELEASE unit" };
            self.run(end).await?;
        }
        Ok(applied)
    }

    /// Links the events to their chains; refuses all if a chain moved on that somebody relies on.
    /// The ends of the chains then.
    async fn append(&mut self, parts: &[&Part<Change>], before: &Ends) -> Result<Heads, Failure> {
        let touches = |part: &&&Part<Change>| !part.events.is_empty() || part.expected_sequence.is_some();
        let keys: BTreeSet<Uuid> =
            parts.iter().filter(touches).filter_map(|part| chain_key(part.organization).ok()).collect();
        let heads = journal::lock_heads(self.connection, keys.into_iter().collect()).await;
        let mut heads = self.settle(heads).await?;
        if heads.iter().any(|(key, head)| before.get(key).is_some_and(|end| *end != head.sequence)) {
            self.run("ROLLBACK").await?;
            return Err(Failure::Conflict(StoreError::Stale));
        }
        let mut events: Vec<StoredEvent> = Vec::new();
        for part in parts {
            if let Ok(key) = chain_key(part.organization)
                && let Some(chain) = heads.get_mut(&key)
            {
                events.extend(part.events.iter().map(|event| chain.link(event, self.random)));
            }
        }
        let appended = journal::append(self.connection, &events, &heads).await;
        self.settle(appended).await?;
        Ok(heads)
    }

    /// Rolls back if `result` is an error that leaves the connection usable.
    async fn settle<T>(&mut self, result: Result<T, StoreError>) -> Result<T, Failure> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => match trouble(&error) {
                Trouble::Lost => Err(Failure::LostBefore(error)),
                Trouble::Conflict => {
                    self.run("ROLLBACK").await?;
                    Err(Failure::Conflict(error))
                }
                Trouble::Refused => {
                    self.run("ROLLBACK").await?;
                    Err(Failure::Refused(error))
                }
            },
        }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), Failure> {
        let run = sqlx::raw_sql(sql).execute(&mut *self.connection).await;
        run.map(|_| ()).map_err(|error| Failure::LostBefore(store_error(error)))
    }
}

fn commit_failure(error: StoreError) -> Failure {
    match trouble(&error) {
        Trouble::Refused => Failure::Refused(error),
        Trouble::Conflict => Failure::Conflict(error),
        Trouble::Lost => Failure::LostDuring(error),
    }
}

/// The step of a run that is all that a unit changes.
pub(super) fn plain_step(unit: &Unit) -> Option<Plain<'_>> {
    let [part] = &unit.parts[..] else { return None };
    if part.expected_sequence.is_some() {
        return None;
    }
    let changes = part.changes.iter().map(|change| match change {
        Change::Workflow(change) => Some(change),
        Change::Auth(_) | Change::Gateway(_) | Change::Mesh(_) | Change::Extension(_) => None,
    });
    at_once::plain(part.organization, &changes.collect::<Option<Vec<_>>>()?)
}

/// The chains whose end somebody relies on.
fn expected_chains(units: &[Waiting]) -> Vec<Uuid> {
    let parts = units.iter().flat_map(|waiting| &waiting.unit.parts);
    let expecting = parts.filter(|part| part.expected_sequence.is_some());
    let keys: BTreeSet<Uuid> = expecting.filter_map(|part| chain_key(part.organization).ok()).collect();
    keys.into_iter().collect()
}

/// Whether what the unit expects holds after the units before it.
fn check(unit: &Unit, ends: &Ends) -> Result<(), StoreError> {
    for part in &unit.parts {
        let key = chain_key(part.organization)?;
        if part.expected_sequence.is_some_and(|expected| ends.get(&key) != Some(&expected)) {
            return Err(StoreError::Stale);
        }
    }
    Ok(())
}

fn advance(unit: &Unit, ends: &mut Ends) {
    for part in &unit.parts {
        if let Ok(key) = chain_key(part.organization)
            && let Some(end) = ends.get_mut(&key)
        {
            *end += part.events.len() as u64;
        }
    }
}
