//! Writing a batch's events, and the new ends of their chains, in few statements.
//!
//! Each statement fits into one TLS record (16 KiB). The driver does not set `TCP_NODELAY`, so
//! a second record would wait for the acknowledgement of the first, 40 ms on Linux.

use buildly_journal::{Chain, StoredEvent};
use buildly_model::StoreError;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};
use uuid::Uuid;

use super::{Heads, chain_key, signed};
use crate::engine::store_error;

/// How many bytes of events go into one statement; one larger event goes alone.
const EVENTS_BYTES_MAX: usize = 8 << 10;
/// How many ends of chains go into one statement; each has some 70 bytes.
const HEADS_MAX: usize = 64;

const APPEND: &str = "
    WITH head AS (
        UPDATE journal_head SET sequence = moved.sequence, hash = moved.hash
        FROM unnest($13::uuid[], $14::bigint[], $15::bytea[]) AS moved (organization_id, sequence, hash)
        WHERE journal_head.organization_id = moved.organization_id
    )
    INSERT INTO journal (organization_id, sequence, event_id, kind, subject, actor, at,
                         payload, salt, payload_digest, previous, hash)
    SELECT organization_id, sequence, event_id, kind, subject, actor, at,
           payload, salt, payload_digest, previous, hash
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                $8::text[], $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[])
         WITH ORDINALITY AS event (organization_id, sequence, event_id, kind, subject, actor, at,
                                   payload, salt, payload_digest, previous, hash, place)
    ORDER BY place";

/// Writes the events, in this order, and the ends that they moved; the ends are locked.
pub(crate) async fn append(
    tx: &mut PgConnection,
    events: &[StoredEvent],
    heads: &Heads,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let heads: Vec<&Chain> = heads.values().collect();
    let (mut events, mut heads) = (events, heads.as_slice());
    while !events.is_empty() || !heads.is_empty() {
        let (first_events, more_events) = events.split_at(fitting(events));
        let (first_heads, more_heads) = heads.split_at(heads.len().min(HEADS_MAX));
        append_some(tx, first_events, first_heads).await?;
        (events, heads) = (more_events, more_heads);
    }
    Ok(())
}

/// How many events go into the next statement.
fn fitting(events: &[StoredEvent]) -> usize {
    let mut bytes = 0;
    let fits = events.iter().take_while(|event| {
        bytes += bytes_of(event);
        bytes <= EVENTS_BYTES_MAX
    });
    fits.count().max(events.len().min(1))
}

fn bytes_of(event: &StoredEvent) -> usize {
    // Ids, numbers, salt and three hashes, and four bytes before each of the twelve values.
    const FIXED: usize = 16 + 8 + 16 + 8 + 16 + 3 * 32 + 12 * 4;
    let payload = event.payload.as_ref().map_or(0, String::len);
    FIXED + event.kind.len() + event.subject.len() + event.actor.len() + payload
}

async fn append_some(
    tx: &mut PgConnection,
    events: &[StoredEvent],
    heads: &[&Chain],
) -> Result<(), StoreError> {
    let moved = heads.iter().map(|chain| chain_key(chain.organization));
    let moved: Vec<Uuid> = moved.collect::<Result<_, _>>()?;
    let append = bind_events(sqlx::query(APPEND), events)?
        .bind(moved)
        .bind(column(heads, |chain| signed(chain.sequence)))
        .bind(column(heads, |chain| chain.hash.0.as_slice()));
    append.execute(tx).await.map_err(store_error)?;
    Ok(())
}

/// Binds the twelve columns of events.
pub(crate) fn bind_events<'q>(
    statement: Query<'q, Postgres, PgArguments>,
    events: &'q [StoredEvent],
) -> Result<Query<'q, Postgres, PgArguments>, StoreError> {
    let chains = events.iter().map(|event| chain_key(event.organization));
    let chains: Vec<Uuid> = chains.collect::<Result<_, _>>()?;
    Ok(statement
        .bind(chains)
        .bind(column(events, |event| signed(event.sequence)))
        .bind(column(events, |event| event.id.as_uuid()))
        .bind(column(events, |event| event.kind.as_str()))
        .bind(column(events, |event| event.subject.as_str()))
        .bind(column(events, |event| event.actor.as_str()))
        .bind(column(events, |event| event.at.as_microseconds()))
        .bind(column(events, |event| event.payload.as_deref()))
        .bind(column(events, |event| event.salt.0.as_slice()))
        .bind(column(events, |event| event.payload_digest.0.as_slice()))
        .bind(column(events, |event| event.previous.0.as_slice()))
        .bind(column(events, |event| event.hash.0.as_slice())))
}

fn column<'a, T, V>(rows: &'a [T], value: impl Fn(&'a T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}
