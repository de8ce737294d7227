//! Batches of nothing but plain steps of runs: each statement is a transaction of its own, so that
//! a step costs one exchange with the database and not five.
//!
//! The node remembers where the chains ended when it wrote last, and the statement refuses itself
//! if one has moved on since. Whatever is not as it was thought to be is left to the transaction
//! that asks first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use buildly_journal::{Chain, StoredEvent};
use buildly_model::{Revision, StoreError};
use buildly_unit::Unit;
use tokio::time::Instant;
use uuid::Uuid;

use super::transaction::plain_step;
use super::{Answer, Batches, TRANSACTION_TIMEOUT, Waiting, panic, unanswered};
use crate::engine::{Trouble, trouble, unavailable};
use crate::journal::{Heads, chain_key};
use crate::workflow::at_once::{self, Plain};

/// After so much silence a connection may have died unnoticed: a transaction finds that out before
/// it writes anything.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);
/// The most chains whose ends are remembered.
const ENDS_MAX: usize = 4096;

/// Where chains ended when this node wrote last.
#[derive(Default)]
pub(super) struct Ends {
    ends: Heads,
    written_at: Option<Instant>,
}

impl Ends {
    pub(super) fn remember(&mut self, ends: Heads) {
        if self.ends.len() + ends.len() > ENDS_MAX {
            self.ends.clear();
        }
        self.ends.extend(ends);
        self.written_at = Some(Instant::now());
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn are_fresh(&self) -> bool {
        self.written_at.is_some_and(|at| at.elapsed() < TRUSTED_IDLE)
    }
}

/// A chain as it is thought to be, and as it is once a group is written.
type Moved = (Chain, Chain);

/// Why a group was not written.
enum Unwritten {
    /// Something is not as it was thought to be; nothing was written.
    Otherwise,
    /// The connection was lost, and whether the group was written cannot be known.
    Lost(StoreError),
}

impl Batches {
    /// Writes a batch that is of plain steps only, and answers; gives back what it has not written.
    pub(super) async fn write_plain(&mut self, batch: Vec<Waiting>) -> Vec<Waiting> {
        let waiting = batch.into_iter().map(|Waiting { unit, answer }| (unit, answer));
        let (units, mut answers): (Vec<Unit>, VecDeque<Answer>) = waiting.unzip();
        let done = self.write_groups(&units, &mut answers).await;
        let left = units.into_iter().skip(done).zip(answers);
        left.map(|(unit, answer)| Waiting { unit, answer }).collect()
    }

    /// How many of the units, from the first on, have been answered.
    async fn write_groups(&mut self, units: &[Unit], answers: &mut VecDeque<Answer>) -> usize {
        let Some(steps) = all_plain(units) else { return 0 };
        let steps: Vec<&Plain<'_>> = steps.iter().collect();
        let (mut left, mut left_units, mut done) = (steps.as_slice(), units, 0);
        while !left.is_empty() && self.ends.are_fresh() {
            let many = at_once::fitting(left);
            let (now, later) = left.split_at(many);
            let (now_units, later_units) = left_units.split_at(many);
            let outcome = match self.write_group(now, now_units).await {
                Ok(revision) => Ok(revision),
                Err(Unwritten::Otherwise) => break,
                Err(Unwritten::Lost(error)) => {
                    tracing::error!(%error, units = many, "steps were perhaps not committed");
                    Err(error)
                }
            };
            for answer in answers.drain(..many) {
                let outcome = match &outcome {
                    Ok(revision) => Ok(*revision),
                    Err(error) => Err(unanswered(error)),
                };
                // A caller that has gone away needs no answer.
                drop(answer.send(outcome));
            }
            (left, left_units, done) = (later, later_units, done + many);
        }
        done
    }

    async fn write_group(&mut self, steps: &[&Plain<'_>], units: &[Unit]) -> Result<Revision, Unwritten> {
        let (events, moved) = self.linked(units).ok_or(Unwritten::Otherwise)?;
        let mut connection = self.connection.take().ok_or(Unwritten::Otherwise)?;
        let written = at_once::write_and_tell(&mut connection, steps, &events, &moved);
        match tokio::time::timeout(TRANSACTION_TIMEOUT, panic::caught(written)).await {
            Ok(Ok(Ok(revision))) => {
                self.connection = Some(connection);
                let ends = moved
                    .into_iter()
                    .filter_map(|(_, after)| Some((chain_key(after.organization).ok()?, after)));
                self.ends.remember(ends.collect());
                self.wake.wrote(revision);
                Ok(revision)
            }
            Ok(Ok(Err(error))) if trouble(&error) != Trouble::Lost => {
                self.connection = Some(connection);
                self.ends.forget();
                Err(Unwritten::Otherwise)
            }
            // The connection goes, with the half of a statement that it may be in.
            lost => {
                self.ends.forget();
                Err(Unwritten::Lost(match lost {
                    Ok(Ok(Err(error))) => error,
                    Ok(Err(message)) => {
                        StoreError::corrupt(format!("a program error in the storage: {message}"))
                    }
                    _ => unavailable("the database did not answer in time"),
                }))
            }
        }
    }

    /// The events of the units, linked to the ends of their chains as they are thought to be, and
    /// the chains before and after. `None` if an end is not known.
    fn linked(&self, units: &[Unit]) -> Option<(Vec<StoredEvent>, Vec<Moved>)> {
        let mut moved: BTreeMap<Uuid, Moved> = BTreeMap::new();
        let mut events = Vec::new();
        for part in units.iter().flat_map(|unit| &unit.parts) {
            let key = chain_key(part.organization).ok()?;
            let known = *self.ends.ends.get(&key)?;
            let (_, end) = moved.entry(key).or_insert((known, known));
            events.extend(part.events.iter().map(|event| end.link(event, &*self.random)));
        }
        Some((events, moved.into_values().filter(|(before, after)| before != after).collect()))
    }
}

/// The steps of the units, if each has one and no run has two.
fn all_plain(units: &[Unit]) -> Option<Vec<Plain<'_>>> {
    let steps = units.iter().map(plain_step).collect::<Option<Vec<_>>>()?;
    let mut runs = BTreeSet::new();
    steps.iter().all(|plain| runs.insert(plain.run())).then_some(steps)
}
