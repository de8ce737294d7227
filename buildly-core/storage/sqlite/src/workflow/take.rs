//! How a node takes work.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::LeaseId;
use buildly_model::{RunId, StoreError, Timestamp};
use buildly_workflow::{DueTimer, EffectId, Leased, Rows, Waiting, Work};
use rusqlite::Connection;
use tokio::time::Instant;

use super::effect::{self, Taken, micros};
use super::row::to_json;
use super::{inbox, timer};
use crate::Sqlite;

/// What this process remembers of its takes; nobody needs it later.
#[derive(Clone)]
pub(crate) struct Takes {
    /// Leases count from here by a steady clock: none outlives the process.
    since: Instant,
    /// The organization that had the last turn.
    turn: Arc<Mutex<String>>,
}

impl Takes {
    /// The time by which leases end.
    pub(crate) fn now(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Default for Takes {
    fn default() -> Self {
        Self { since: Instant::now(), turn: Arc::default() }
    }
}

#[async_trait]
impl Work for Sqlite {
    async fn take_effects(
        &self,
        owner: LeaseId,
        effects_max: usize,
        lease: Duration,
    ) -> Result<Vec<Leased>, StoreError> {
        let live = self.leases.live();
        if effects_max == 0 || !live.contains(&owner) {
            return Ok(Vec::new());
        }
        let live = to_json(&live.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let now = self.takes.now();
        let span = (micros(now), micros(now.saturating_add(lease)));
        let turn = Arc::clone(&self.takes.turn);
        let taken = self.engine.write(move |tx| {
            effect::free(tx, span.0, &live)?;
            let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            let organizations = in_turn(tx, &turn, effects_max)?;
            if let Some(last) = organizations.last() {
                turn.clone_from(last);
            }
            round_robin(organizations, effects_max, |organization, most| {
                effect::take(tx, organization, &owner.to_string(), span.1, most)
            })
        });
        let leased = taken.await?.into_iter().filter_map(|taken| {
            let Taken { id, organization, run, epoch, effect } = taken;
            Some(Leased { id, organization, run, effect: effect?, epoch, lease_left: lease })
        });
        Ok(leased.collect())
    }

    async fn give_back_effect(&self, effect: EffectId, epoch: u64) -> Result<(), StoreError> {
        self.engine.write(move |tx| effect::give_back(tx, effect, epoch)).await
    }

    async fn waiting_inputs(&self, after: Option<u64>, rows_max: u32) -> Result<Rows<Waiting>, StoreError> {
        self.engine.read(move |tx| inbox::waiting(tx, after, rows_max)).await
    }

    async fn due_timers(
        &self,
        now: Timestamp,
        after: Option<(Timestamp, RunId)>,
        rows_max: u32,
    ) -> Result<Vec<DueTimer>, StoreError> {
        self.engine.read(move |tx| timer::due(tx, now, after, rows_max)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.engine.read(timer::next).await
    }
}

/// The organizations with something to take, those after `turn` first.
fn in_turn(tx: &Connection, turn: &str, most: usize) -> Result<Vec<String>, StoreError> {
    let mut organizations: Vec<String> = Vec::new();
    let (mut after, mut is_wrapped) = (turn.to_owned(), turn.is_empty());
    while organizations.len() < most {
        match effect::next_organization(tx, &after)? {
            Some(next) if !(is_wrapped && organizations.first() == Some(&next)) => {
                after.clone_from(&next);
                organizations.push(next);
            }
            Some(_) => break,
            None if is_wrapped => break,
            None => {
                is_wrapped = true;
                after.clear();
            }
        }
    }
    Ok(organizations)
}

/// Gives each organization an equal share, then those that have more what is left.
fn round_robin(
    mut organizations: Vec<String>,
    most: usize,
    take: impl Fn(&str, usize) -> Result<Vec<Taken>, StoreError>,
) -> Result<Vec<Taken>, StoreError> {
    let mut all = Vec::new();
    while !organizations.is_empty() && all.len() < most {
        let share = ((most - all.len()) / organizations.len()).max(1);
        let mut have_more = Vec::new();
        for organization in organizations {
            if all.len() == most {
                break;
            }
            let taken = take(&organization, share)?;
            if taken.len() == share {
                have_more.push(organization);
            }
            all.extend(taken);
        }
        organizations = have_more;
    }
    Ok(all)
}
