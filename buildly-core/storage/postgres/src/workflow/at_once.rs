//! The plain steps of many runs in one statement, however many they are.
//!
//! A step is plain if it answers one effect or begins its run, and sets no timers and no tasks:
//! most are. If one of them cannot be written as it should be, none counts, and the transaction
//! is tried again with each unit by itself.
//!
//! A statement fits into one TLS record (16 KiB). The driver does not set `TCP_NODELAY`, so a
//! second record would wait for the acknowledgement of the first, 40 ms on Linux.

use std::collections::BTreeSet;

use buildly_journal::{Chain, StoredEvent};
use buildly_model::{OrganizationId, Revision, RunId, StoreError};
use buildly_workflow::{Change, RunSummary, Stepped, Used};
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::row::{Statement, signed, to_json};
use crate::engine::store_error;
use crate::journal::{bind_events, chain_key};

/// How many bytes of steps go into one statement.
const STEPS_BYTES_MAX: usize = 14 << 10;
/// What a step has besides its own texts: ids, numbers, four bytes before each value, an event or
/// two of the journal.
const STEP_BYTES: usize = 900;

/// A step that can be written with others.
pub(crate) struct Plain<'a> {
    organization: OrganizationId,
    /// The run, if it begins with this step, and the key that starts it.
    begins: Option<(&'a RunSummary, Option<&'a str>)>,
    stepped: &'a Stepped,
    used: Option<(i64, i64)>,
    events: String,
    effects: Vec<String>,
}

impl Plain<'_> {
    /// How many bytes it adds to a statement, more or less.
    pub(crate) fn bytes(&self) -> usize {
        let effects: usize = self.effects.iter().map(String::len).sum();
        STEP_BYTES + self.stepped.state.len() + self.events.len() + effects
    }

    pub(crate) const fn run(&self) -> RunId {
        self.stepped.run
    }
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
    let is_plain = stepped.timers.is_empty() && stepped.tasks.is_empty() && !stepped.events.is_empty();
    if !is_plain {
        return None;
    }
    // What cannot be written is refused where each unit is written by itself.
    let events = to_json(&stepped.events).ok()?;
    let effects = stepped.effects.iter().map(to_json).collect::<Result<_, _>>().ok()?;
    let plain = Plain { organization: organization?, begins, stepped, used, events, effects };
    (plain.bytes() <= STEPS_BYTES_MAX).then_some(plain)
}

/// How many of the steps, from the first on, go into one statement.
pub(crate) fn fitting(steps: &[&Plain<'_>]) -> usize {
    let mut bytes = 0;
    let fits = steps.iter().take_while(|plain| {
        bytes += plain.bytes();
        bytes <= STEPS_BYTES_MAX
    });
    fits.count().max(steps.len().min(1))
}

/// The places of the steps that can be written together: of each run one.
pub(crate) fn one_of_each_run<'a>(
    steps: impl IntoIterator<Item = (usize, Plain<'a>)>,
) -> Vec<(usize, Plain<'a>)> {
    let mut runs = BTreeSet::new();
    steps.into_iter().filter(|(_, plain)| runs.insert(plain.stepped.run)).collect()
}

/// A run that begins is written as it is after its step. `IS NOT DISTINCT FROM` keeps the planner
/// to the one index that names a row, whatever it thinks of tables that were empty a moment ago.
macro_rules! steps {
    () => {
        "
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
        WHERE run.id = step.run_id
          AND (run.organization_id, run.version) IS NOT DISTINCT FROM (step.organization_id, step.version)
        RETURNING run.id, run.number, run.events AS last
    ), written AS (
        SELECT * FROM begun UNION ALL SELECT * FROM moved
    ), told AS (
        INSERT INTO workflow_event (run_number, last, at, events)
        SELECT written.number, written.last, step.at, step.events
        FROM written JOIN step ON step.run_id = written.id
    ), used_up AS (
        DELETE FROM workflow_effect AS effect USING step
        WHERE effect.number = step.used
          AND (effect.epoch, effect.organization_id, effect.run_id)
              IS NOT DISTINCT FROM (step.used_epoch, step.organization_id, step.run_id)
        RETURNING effect.number
    ), queued AS (
        INSERT INTO workflow_effect (number, organization_id, run_id, effect, epoch, owner, leased_until)
        SELECT number, organization_id, run_id, effect, CASE WHEN owner IS NULL THEN 0 ELSE 1 END, owner,
               clock_timestamp() + lease * interval '1 microsecond'
        FROM unnest($12::bigint[], $13::uuid[], $14::uuid[], $15::text[], $16::uuid[], $17::bigint[])
             AS new (number, organization_id, run_id, effect, owner, lease)
    ), as_planned AS (
        SELECT (SELECT count(*) FROM written) = (SELECT count(*) FROM step)
           AND (SELECT count(*) FROM used_up) = (SELECT count(used) FROM step) AS all_of_it
    )"
    };
}

const WRITE: &str = concat!(steps!(), "SELECT all_of_it FROM as_planned");

/// Writes steps inside a transaction; false if one of them was not written as it should be.
pub(crate) async fn write(tx: &mut PgConnection, steps: &[&Plain<'_>]) -> Result<bool, StoreError> {
    let row = bind(sqlx::query(WRITE), steps).fetch_one(tx).await.map_err(store_error)?;
    row.try_get(0).map_err(store_error)
}

/// The end of a chain moves on only from where it is thought to be. What is not as planned divides
/// by zero, so that nothing of the statement counts. It locks the journal before it has a
/// transaction's id, as the feed demands: tables are locked before a statement begins.
const WRITE_AND_TELL: &str = concat!(
    steps!(),
    ", head AS (
        UPDATE journal_head SET sequence = moved.sequence, hash = moved.hash
        FROM unnest($39::uuid[], $40::bigint[], $41::bytea[], $42::bigint[], $43::bytea[])
             AS moved (organization_id, known_sequence, known_hash, sequence, hash)
        WHERE journal_head.organization_id = moved.organization_id
          AND (journal_head.sequence, journal_head.hash)
              IS NOT DISTINCT FROM (moved.known_sequence, moved.known_hash)
        RETURNING 1
    ), told_of AS (
        INSERT INTO journal (organization_id, sequence, event_id, kind, subject, actor, at,
                             payload, salt, payload_digest, previous, hash)
        SELECT organization_id, sequence, event_id, kind, subject, actor, at,
               payload, salt, payload_digest, previous, hash
        FROM unnest($27::uuid[], $28::bigint[], $29::uuid[], $30::text[], $31::text[], $32::text[],
                    $33::bigint[], $34::text[], $35::bytea[], $36::bytea[], $37::bytea[], $38::bytea[])
             WITH ORDINALITY AS event (organization_id, sequence, event_id, kind, subject, actor, at,
                                       payload, salt, payload_digest, previous, hash, place)
        ORDER BY place
    )
    SELECT pg_current_xact_id()::text,
           1 / CASE WHEN all_of_it AND (SELECT count(*) FROM head) = cardinality($39) THEN 1 ELSE 0 END
    FROM as_planned"
);

/// Writes steps with their events in a transaction of its own; the transaction's id. `moved` are
/// the ends of their chains before and after.
pub(crate) async fn write_and_tell(
    connection: &mut PgConnection,
    steps: &[&Plain<'_>],
    events: &[StoredEvent],
    moved: &[(Chain, Chain)],
) -> Result<Revision, StoreError> {
    let keys = moved.iter().map(|(_, after)| chain_key(after.organization));
    let keys: Vec<Uuid> = keys.collect::<Result<_, _>>()?;
    let writing = bind_events(bind(sqlx::query(WRITE_AND_TELL), steps), events)?
        .bind(keys)
        .bind(column(moved, |(before, _)| signed(before.sequence)))
        .bind(column(moved, |(before, _)| before.hash.0.as_slice()))
        .bind(column(moved, |(_, after)| signed(after.sequence)))
        .bind(column(moved, |(_, after)| after.hash.0.as_slice()));
    let row = writing.fetch_one(connection).await.map_err(store_error)?;
    let text: String = row.try_get(0).map_err(store_error)?;
    text.parse().map(Revision::new).map_err(|_| StoreError::corrupt(format!("`{text}` is no transaction id")))
}

fn bind<'q>(statement: Statement<'q>, steps: &'q [&Plain<'q>]) -> Statement<'q> {
    let effects = Effects::of(steps);
    let runs: Vec<_> = steps.iter().filter_map(|plain| plain.begins).collect();
    let used = column(steps, |plain| plain.used);
    let parents = column(&runs, |(run, _)| run.parent);
    statement
        .bind(column(steps, |plain| plain.organization.as_uuid()))
        .bind(column(steps, |plain| plain.stepped.run.as_uuid()))
        .bind(column(steps, |plain| signed(plain.stepped.expected_version)))
        .bind(column(steps, |plain| signed(plain.stepped.events.len() as u64)))
        .bind(column(steps, |plain| plain.stepped.state.as_str()))
        .bind(column(steps, |plain| plain.stepped.status.name()))
        .bind(column(steps, |plain| plain.stepped.at.as_microseconds()))
        .bind(column(steps, |plain| plain.stepped.is_ended))
        .bind(column(steps, |plain| plain.events.as_str()))
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
        .bind(column(&runs, |(run, _)| run.created_at.as_microseconds()))
}

fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// The effects of all steps, column by column.
#[derive(Default)]
struct Effects<'a> {
    numbers: Vec<i64>,
    organizations: Vec<Uuid>,
    runs: Vec<Uuid>,
    texts: Vec<&'a str>,
    owners: Vec<Option<Uuid>>,
    leases: Vec<Option<i64>>,
}

impl<'a> Effects<'a> {
    fn of(steps: &'a [&Plain<'a>]) -> Self {
        let mut all = Self::default();
        for Plain { organization, stepped, effects, .. } in steps {
            for (number, effect) in (stepped.first_effect.0..).zip(effects) {
                all.numbers.push(signed(number));
                all.organizations.push(organization.as_uuid());
                all.runs.push(stepped.run.as_uuid());
                all.texts.push(effect);
                all.owners.push(stepped.held.map(|held| held.owner.0));
                all.leases
                    .push(stepped.held.map(|held| i64::try_from(held.lease.as_micros()).unwrap_or(i64::MAX)));
            }
        }
        all
    }
}
