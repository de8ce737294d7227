//! The plain steps of many runs in one statement, however many they are.
//!
//! A step is plain if it answers one effect or begins its run, and sets no timers and no tasks:
//! most are. If one of them cannot be written as it should be, none counts, and the transaction
//! is tried again with each unit by itself.

use std::collections::BTreeSet;

use buildly_model::{OrganizationId, StoreError};
use buildly_workflow::{Change, RunSummary, Stepped, Used};
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::row::{signed, to_json};
use crate::engine::store_error;

/// A step with more than this goes by itself: what is sent at once stays small.
const STATE_BYTES_MAX: usize = 64 * 1024;

/// A step that can be written with others.
pub(crate) struct Plain<'a> {
    organization: OrganizationId,
    /// The run, if it begins with this step, and the key that starts it.
    begins: Option<(&'a RunSummary, Option<&'a str>)>,
    stepped: &'a Stepped,
    used: Option<(i64, i64)>,
}

/// The step of these changes, if it is all that they are.
pub(crate) fn plain<'a>(organization: Option<OrganizationId>, changes: &[&'a Change]) -> Option<Plain<'a>> {
    let (begins, stepped) = match *changes {
        [Change::RunStepped(stepped)] => (None, stepped),
        [Change::RunStarted { run, start_key, input: None, .. }, Change::RunStepped(stepped)]
            if run.id == stepped.run && stepped.expected_version == 0 && stepped.used.is_empty() =>
        {
            (Some((run, start_key.as_deref())), stepped)
        }
        _ => return None,
    };
    let used = match stepped.used[..] {
        [] => None,
        [Used::Effect { id, epoch }] => Some((signed(id.0), signed(epoch))),
        _ => return None,
    };
    let is_plain = stepped.timers.is_empty()
        && stepped.tasks.is_empty()
        && !stepped.events.is_empty()
        && stepped.state.len() <= STATE_BYTES_MAX;
    is_plain.then_some(Plain { organization: organization?, begins, stepped, used })
}

/// The places of the steps that can be written together: of each run one.
pub(crate) fn one_of_each_run<'a>(
    steps: impl IntoIterator<Item = (usize, Plain<'a>)>,
) -> Vec<(usize, Plain<'a>)> {
    let mut runs = BTreeSet::new();
    steps.into_iter().filter(|(_, plain)| runs.insert(plain.stepped.run)).collect()
}

/// A run that begins is written as it is after its step.
const WRITE: &str = "
    WITH step AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
                             $7::bigint[], $8::boolean[], $9::text[], $10::bigint[], $11::bigint[])
            AS new (organization_id, run_id, version, many, state, status, at, is_ended, events,
                    used, used_epoch)
    ), begun AS (
        INSERT INTO workflow_run
            (id, organization_id, template, template_version, status, business_key, start_key, starter,
             parent_id, parent_activation, created_at, updated_at, ended_at, version, events, state)
        SELECT step.run_id, step.organization_id, template, template_version, step.status, business_key,
               start_key, starter, parent_id, parent_activation, created_at, step.at,
               CASE WHEN step.is_ended THEN step.at END, 1, step.many, step.state
        FROM unnest($18::uuid[], $19::text[], $20::bigint[], $21::text[], $22::text[], $23::text[],
                    $24::uuid[], $25::bigint[], $26::bigint[])
             AS new (run_id, template, template_version, business_key, start_key, starter, parent_id,
                     parent_activation, created_at)
        JOIN step USING (run_id)
        RETURNING id, number, events AS last
    ), moved AS (
        UPDATE workflow_run AS run
        SET version = run.version + 1, events = run.events + step.many, state = step.state,
            status = step.status, updated_at = step.at,
            ended_at = CASE WHEN step.is_ended THEN step.at ELSE run.ended_at END
        FROM step
        WHERE run.organization_id = step.organization_id AND run.id = step.run_id
          AND run.version = step.version
        RETURNING run.id, run.number, run.events AS last
    ), written AS (
        SELECT * FROM begun UNION ALL SELECT * FROM moved
    ), told AS (
        INSERT INTO workflow_event (run_number, last, at, events)
        SELECT written.number, written.last, step.at, step.events
        FROM written JOIN step ON step.run_id = written.id
    ), used_up AS (
        DELETE FROM workflow_effect AS effect USING step
        WHERE effect.number = step.used AND effect.epoch = step.used_epoch
          AND effect.organization_id = step.organization_id AND effect.run_id = step.run_id
        RETURNING effect.number
    ), queued AS (
        INSERT INTO workflow_effect (number, organization_id, run_id, effect, epoch, owner, leased_until)
        SELECT number, organization_id, run_id, effect, CASE WHEN owner IS NULL THEN 0 ELSE 1 END, owner,
               clock_timestamp() + lease * interval '1 microsecond'
        FROM unnest($12::bigint[], $13::uuid[], $14::uuid[], $15::text[], $16::uuid[], $17::bigint[])
             AS new (number, organization_id, run_id, effect, owner, lease)
    )
    SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM used_up)";

/// Writes the steps; false if one of them was not written as it should be.
pub(crate) async fn write(tx: &mut PgConnection, steps: &[&Plain<'_>]) -> Result<bool, StoreError> {
    let events = steps.iter().map(|plain| to_json(&plain.stepped.events)).collect::<Result<Vec<_>, _>>()?;
    let effects = Effects::of(steps)?;
    let runs: Vec<_> = steps.iter().filter_map(|plain| plain.begins).collect();
    let used = column(steps, |plain| plain.used);
    let parents = column(&runs, |(run, _)| run.parent);
    let writing = sqlx::query(WRITE)
        .bind(column(steps, |plain| plain.organization.as_uuid()))
        .bind(column(steps, |plain| plain.stepped.run.as_uuid()))
        .bind(column(steps, |plain| signed(plain.stepped.expected_version)))
        .bind(column(steps, |plain| signed(plain.stepped.events.len() as u64)))
        .bind(column(steps, |plain| plain.stepped.state.as_str()))
        .bind(column(steps, |plain| plain.stepped.status.name()))
        .bind(column(steps, |plain| plain.stepped.at.as_microseconds()))
        .bind(column(steps, |plain| plain.stepped.is_ended))
        .bind(events)
        .bind(column(&used, |used| used.map(|(id, _)| id)))
        .bind(column(&used, |used| used.map(|(_, epoch)| epoch)))
        .bind(effects.numbers)
        .bind(effects.organizations)
        .bind(effects.runs)
        .bind(effects.texts)
        .bind(effects.owners)
        .bind(effects.leases)
        .bind(column(&runs, |(run, _)| run.id.as_uuid()))
        .bind(column(&runs, |(run, _)| run.template.as_str()))
        .bind(column(&runs, |(run, _)| i64::from(run.template_version)))
        .bind(column(&runs, |(run, _)| run.business_key.as_deref()))
        .bind(column(&runs, |(_, start_key)| *start_key))
        .bind(column(&runs, |(run, _)| run.starter.as_str()))
        .bind(column(&parents, |parent| parent.map(|(run, _)| run.as_uuid())))
        .bind(column(&parents, |parent| parent.map(|(_, of)| signed(of.0))))
        .bind(column(&runs, |(run, _)| run.created_at.as_microseconds()));
    let row = writing.fetch_one(tx).await.map_err(store_error)?;
    let written: i64 = row.try_get(0).map_err(store_error)?;
    let used_up: i64 = row.try_get(1).map_err(store_error)?;
    let wanted = used.iter().flatten().count();
    Ok(usize::try_from(written) == Ok(steps.len()) && usize::try_from(used_up) == Ok(wanted))
}

fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// The effects of all steps, column by column.
#[derive(Default)]
struct Effects {
    numbers: Vec<i64>,
    organizations: Vec<Uuid>,
    runs: Vec<Uuid>,
    texts: Vec<String>,
    owners: Vec<Option<Uuid>>,
    leases: Vec<Option<i64>>,
}

impl Effects {
    fn of(steps: &[&Plain<'_>]) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for Plain { organization, stepped, .. } in steps {
            for (number, effect) in (stepped.first_effect.0..).zip(&stepped.effects) {
                all.numbers.push(signed(number));
                all.organizations.push(organization.as_uuid());
                all.runs.push(stepped.run.as_uuid());
                all.texts.push(to_json(effect)?);
                all.owners.push(stepped.held.map(|held| held.owner.0));
                all.leases
                    .push(stepped.held.map(|held| i64::try_from(held.lease.as_micros()).unwrap_or(i64::MAX)));
            }
        }
        Ok(all)
    }
}
