//! The ends of the chains, while a transaction links to them.

use std::collections::BTreeMap;

use buildly_journal::Chain;
use buildly_model::StoreError;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::{organization, row, unsigned};
use crate::engine::store_error;

/// The ends of chains by the chain's key, in the order of their locks.
pub(crate) type Heads = BTreeMap<Uuid, Chain>;

const SEQUENCES: &str = "SELECT organization_id, sequence FROM journal_head WHERE organization_id = ANY($1)";

/// The last numbers of chains as they are now, without a lock; 0 for one without events.
pub(crate) async fn sequences(
    tx: &mut PgConnection,
    keys: Vec<Uuid>,
) -> Result<BTreeMap<Uuid, u64>, StoreError> {
    let mut sequences: BTreeMap<Uuid, u64> = keys.iter().map(|key| (*key, 0)).collect();
    if !keys.is_empty() {
        for row in sqlx::query(SEQUENCES).bind(keys).fetch_all(tx).await.map_err(store_error)? {
            sequences.insert(row::get(&row, 0)?, unsigned(row.try_get(1).map_err(store_error)?)?);
        }
    }
    Ok(sequences)
}

/// Locks in the order of the ids, as every node does.
const LOCK: &str = "
    SELECT organization_id, sequence, hash FROM journal_head
    WHERE organization_id = ANY($1) ORDER BY organization_id FOR UPDATE";

/// For chains without events: whoever comes second waits here for the first.
const BEGIN: &str = "
    INSERT INTO journal_head (organization_id, sequence, hash)
    SELECT chain, 0, $2 FROM unnest($1::uuid[]) AS chain ORDER BY chain
    ON CONFLICT (organization_id) DO UPDATE SET sequence = journal_head.sequence
    RETURNING organization_id, sequence, hash";

/// Locks the ends of chains until the transaction ends.
pub(crate) async fn lock_heads(tx: &mut PgConnection, keys: Vec<Uuid>) -> Result<Heads, StoreError> {
    let mut heads = Heads::new();
    if keys.is_empty() {
        return Ok(heads);
    }
    for row in sqlx::query(LOCK).bind(&keys).fetch_all(&mut *tx).await.map_err(store_error)? {
        heads.insert(row::get(&row, 0)?, row::head(&row)?);
    }
    let new: Vec<Uuid> = keys.into_iter().filter(|key| !heads.contains_key(key)).collect();
    if !new.is_empty() {
        let zero = Chain::empty(organization(Uuid::nil())).hash.0;
        let begin = sqlx::query(BEGIN).bind(new).bind(zero.as_slice());
        for row in begin.fetch_all(tx).await.map_err(store_error)? {
            heads.insert(row::get(&row, 0)?, row::head(&row)?);
        }
    }
    Ok(heads)
}
