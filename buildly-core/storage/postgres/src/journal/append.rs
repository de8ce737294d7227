//! Writing a batch's events, and the new ends of their chains, in one statement.

use buildly_journal::StoredEvent;
use buildly_model::StoreError;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Heads, chain_key, signed};
use crate::engine::store_error;

const APPEND: &str = "
    WITH head AS (
        UPDATE journal_head SET sequence = moved.sequence, hash = moved.hash
        FROM unnest($12::uuid[], $13::bigint[], $14::bytea[]) AS moved (organization_id, sequence, hash)
        WHERE journal_head.organization_id = moved.organization_id
    )
    INSERT INTO journal (organization_id, sequence, event_id, kind, subject, actor, at,
                         payload, salt, payload_digest, previous, hash)
    SELECT organization_id, sequence, event_id, kind, subject, actor, at,
           payload, salt, payload_digest, previous, hash
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                $8::text[], $9::bytea[], $10::bytea[], $11::bytea[], $15::bytea[])
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
    let chains = events.iter().map(|event| chain_key(event.organization));
    let chains: Vec<Uuid> = chains.collect::<Result<_, _>>()?;
    let append = sqlx::query(APPEND)
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
        .bind(heads.keys().copied().collect::<Vec<Uuid>>())
        .bind(heads.values().map(|chain| signed(chain.sequence)).collect::<Vec<i64>>())
        .bind(heads.values().map(|chain| chain.hash.0.as_slice()).collect::<Vec<&[u8]>>())
        .bind(column(events, |event| event.hash.0.as_slice()));
    append.execute(tx).await.map_err(store_error)?;
    Ok(())
}

fn column<'a, T>(events: &'a [StoredEvent], value: impl Fn(&'a StoredEvent) -> T) -> Vec<T> {
    events.iter().map(value).collect()
}
