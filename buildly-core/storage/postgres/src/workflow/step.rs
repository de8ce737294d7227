//! What a step did to a run: all of it or nothing.

use buildly_model::StoreError;
use buildly_workflow::{Stepped, Used};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::{signed, to_json};
use super::{effect, inbox, run, task, timer};
use crate::engine::unique;

/// The run, its events and its effects in one statement: of a run that has moved on nothing of
/// it is written.
const MOVE: &str = "
    WITH moved AS (
        UPDATE workflow_run
        SET version = version + 1, events = events + $4, state = $5, status = $6, updated_at = $7,
            ended_at = CASE WHEN $8 THEN $7 ELSE ended_at END
        WHERE organization_id = $1 AND id = $2 AND version = $3
        RETURNING number, events
    ), told AS (
        INSERT INTO workflow_event (run_number, last, at, events)
        SELECT number, events, $7, $9 FROM moved WHERE $4 > 0
    ), queued AS (
        INSERT INTO workflow_effect (number, organization_id, run_id, effect, epoch, owner, leased_until)
        SELECT $11 + place - 1, $1, $2, effect, CASE WHEN $12::uuid IS NULL THEN 0 ELSE 1 END, $12,
               clock_timestamp() + $13 * interval '1 microsecond'
        FROM moved, unnest($10::text[]) WITH ORDINALITY AS new (effect, place)
    )
    SELECT number FROM moved";

const UNIQUE: &[(&str, &str)] = &[("workflow_effect_pkey", "effect")];

pub(super) async fn write(
    tx: &mut PgConnection,
    organization: Uuid,
    stepped: &Stepped,
) -> Result<(), StoreError> {
    let effects: Vec<String> = stepped.effects.iter().map(to_json).collect::<Result<_, _>>()?;
    let moving = sqlx::query_scalar(MOVE)
        .bind(organization)
        .bind(stepped.run.as_uuid())
        .bind(signed(stepped.expected_version))
        .bind(signed(stepped.events.len() as u64))
        .bind(&stepped.state)
        .bind(stepped.status.name())
        .bind(stepped.at.as_microseconds())
        .bind(stepped.is_ended)
        .bind(to_json(&stepped.events)?)
        .bind(effects)
        .bind(signed(stepped.first_effect.0))
        .bind(stepped.held.map(|held| held.owner.0))
        .bind(stepped.held.map(|held| i64::try_from(held.lease.as_micros()).unwrap_or(i64::MAX)));
    let moved: Option<i64> = moving.fetch_optional(&mut *tx).await.map_err(|error| unique(error, UNIQUE))?;
    let Some(number) = moved else {
        return Err(refusal(tx, organization, stepped).await?);
    };
    for used in &stepped.used {
        if !remove(tx, organization, stepped, *used).await? {
            return Err(gone(*used));
        }
    }
    timer::set(tx, organization, stepped.run, &stepped.timers).await?;
    task::apply(tx, organization, number, stepped).await
}

/// Why a run did not move on. That an input is used up says more than that the run has moved.
async fn refusal(
    tx: &mut PgConnection,
    organization: Uuid,
    stepped: &Stepped,
) -> Result<StoreError, StoreError> {
    if !run::exists(tx, organization, stepped.run).await? {
        return Ok(StoreError::Missing { what: "run" });
    }
    for used in &stepped.used {
        if !remove(tx, organization, stepped, *used).await? {
            return Ok(gone(*used));
        }
    }
    Ok(StoreError::Stale)
}

async fn remove(
    tx: &mut PgConnection,
    organization: Uuid,
    stepped: &Stepped,
    used: Used,
) -> Result<bool, StoreError> {
    let run = stepped.run;
    match used {
        Used::Inbox(id) => inbox::remove(tx, organization, run, id).await,
        Used::Timer { activation, kind, due } => {
            timer::remove(tx, organization, run, activation, kind, due).await
        }
        Used::Effect { id, epoch } => effect::remove(tx, organization, run, id, epoch).await,
    }
}

const fn gone(used: Used) -> StoreError {
    match used {
        Used::Inbox(_) => StoreError::Missing { what: "input" },
        Used::Timer { .. } => StoreError::Missing { what: "timer" },
        Used::Effect { .. } => StoreError::Missing { what: "effect" },
    }
}
