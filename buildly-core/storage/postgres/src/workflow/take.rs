//! How a node takes work.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::LeaseId;
use buildly_model::{RunId, StoreError, Timestamp};
use buildly_workflow::{DueTimer, EffectId, Leased, Rows, Waiting, Work};
use sqlx::PgPool;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::row::{count, instant, signed};
use super::{effect, inbox, timer};
use crate::Postgres;
use crate::engine::{ask, in_time, store_error};

/// The organization that had this node's last turn.
#[derive(Default)]
pub(crate) struct Turn(Mutex<Uuid>);

impl Turn {
    fn last(&self) -> Uuid {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passes_to(&self, organization: Uuid) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = organization;
    }
}

#[async_trait]
impl Work for Postgres {
    async fn take_effects(
        &self,
        owner: LeaseId,
        effects_max: usize,
        lease: Duration,
    ) -> Result<Vec<Leased>, StoreError> {
        if effects_max == 0 {
            return Ok(Vec::new());
        }
        in_time(self.take(owner, effects_max, lease)).await
    }

    async fn give_back_effect(&self, effect: EffectId, epoch: u64) -> Result<(), StoreError> {
        let give = sqlx::query(effect::GIVE_BACK).bind(signed(effect.0)).bind(signed(epoch));
        ask(give.execute(self.engine.pool())).await.map(drop)
    }

    async fn waiting_inputs(&self, after: Option<u64>, rows_max: u32) -> Result<Rows<Waiting>, StoreError> {
        let waiting = sqlx::query(inbox::WAITING).bind(signed(after.unwrap_or(0))).bind(i64::from(rows_max));
        let rows = ask(waiting.fetch_all(self.engine.pool())).await?;
        let last = rows.last().filter(|_| rows.len() >= rows_max as usize);
        let next = last.map(|row| count(row, "number")).transpose().map_err(store_error)?;
        let readable = rows.iter().filter_map(|row| match inbox::read(row) {
            Ok(waiting) => Some(waiting),
            Err(error) => {
                // Of a newer program, perhaps. It must not hold up all the others.
                tracing::error!(%error, "an input of a run cannot be read; it stays in the inbox");
                None
            }
        });
        Ok(Rows { rows: readable.collect(), next })
    }

    async fn due_timers(
        &self,
        now: Timestamp,
        after: Option<(Timestamp, RunId)>,
        rows_max: u32,
    ) -> Result<Vec<DueTimer>, StoreError> {
        let (after_due, after_run) =
            after.map_or((i64::MIN, Uuid::nil()), |(due, run)| (due.as_microseconds(), run.as_uuid()));
        let due = sqlx::query(timer::DUE)
            .bind(now.as_microseconds())
            .bind(after_due)
            .bind(after_run)
            .bind(i64::from(rows_max));
        let rows = ask(due.fetch_all(self.engine.pool())).await?;
        rows.iter().map(timer::read).collect::<Result<_, _>>().map_err(store_error)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let next = ask(sqlx::query(timer::NEXT).fetch_optional(self.engine.pool())).await?;
        next.map(|row| instant(&row, "due")).transpose().map_err(store_error)
    }
}

impl Postgres {
    /// Each statement is a transaction of its own, so that nothing is locked in between.
    async fn take(
        &self,
        owner: LeaseId,
        effects_max: usize,
        lease: Duration,
    ) -> Result<Vec<Leased>, StoreError> {
        let pool = self.engine.pool();
        sqlx::query(effect::FREE).execute(pool).await.map_err(store_error)?;
        let ready = sqlx::query_scalar(effect::ORGANIZATIONS)
            .bind(owner.0)
            .bind(self.shared.turn.last())
            .bind(signed(effects_max as u64));
        let mut organizations: Vec<Uuid> = ready.fetch_all(pool).await.map_err(store_error)?;
        if let Some(last) = organizations.last() {
            self.shared.turn.passes_to(*last);
        }
        // An equal share for each, then what is left for those that have more.
        let (mut rows, mut left) = (Vec::new(), effects_max);
        while !organizations.is_empty() && left > 0 {
            organizations.truncate(left);
            let share = (left / organizations.len()).max(1);
            let taken = take_of(pool, owner, lease, &organizations, share).await?;
            left = left.saturating_sub(taken.len());
            let counts =
                taken.iter().fold(HashMap::<Uuid, usize>::new(), |mut counts, (organization, ..)| {
                    *counts.entry(*organization).or_default() += 1;
                    counts
                });
            organizations.retain(|organization| counts.get(organization) == Some(&share));
            rows.extend(taken);
        }
        rows.sort_unstable_by_key(|(_, number, _)| *number);
        Ok(rows.into_iter().filter_map(|(_, _, leased)| leased).collect())
    }
}

type Taken = (Uuid, u64, Option<Leased>);

async fn take_of(
    pool: &PgPool,
    owner: LeaseId,
    lease: Duration,
    organizations: &[Uuid],
    share: usize,
) -> Result<Vec<Taken>, StoreError> {
    let micros = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
    let take =
        sqlx::query(effect::TAKE).bind(owner.0).bind(micros).bind(organizations).bind(signed(share as u64));
    let rows: Vec<PgRow> = take.fetch_all(pool).await.map_err(store_error)?;
    rows.iter().map(|row| effect::read_taken(row, lease)).collect::<Result<_, _>>().map_err(store_error)
}
