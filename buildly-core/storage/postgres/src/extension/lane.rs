//! Lanes: opened, taken, moved.

use std::time::Duration;

use buildly_extension::webhook::{State, TRANSPORT, Webhook};
use buildly_extension::{Lane, LaneKey, Lanes, Moved};
use buildly_journal::LeaseId;
use buildly_model::{OrganizationId, StoreError, Timestamp, WebhookId};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::row::{execute, found, lane, micros, owner};
use crate::engine::store_error;
use crate::journal::{chain_key, signed};

/// A lane is never left alone for longer than that, also if a clock was set back.
const RETRY_WITHIN: Duration = Duration::from_secs(2 * 3600);

const OPEN: &str = "
    INSERT INTO lane (transport, organization_id, lane, sequence, is_paused, failures)
    VALUES ($1, $2, $3, $4, $5, 0)";

pub(super) async fn open(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    webhook: &Webhook,
    after_sequence: u64,
) -> Result<(), StoreError> {
    let open = sqlx::query(OPEN)
        .bind(TRANSPORT)
        .bind(owner(organization)?)
        .bind(webhook.id.to_string())
        .bind(signed(after_sequence))
        .bind(webhook.state != State::Active);
    execute(tx, open).await.map(drop)
}

const RENEW: &str = "
    UPDATE lane SET is_paused = $4, failures = 0, failing_since = NULL, retry_at = NULL, fault = NULL
    WHERE transport = $1 AND organization_id = $2 AND lane = $3";

/// What was wrong with it is over.
pub(super) async fn renew(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    webhook: &Webhook,
) -> Result<(), StoreError> {
    let renew = sqlx::query(RENEW)
        .bind(TRANSPORT)
        .bind(owner(organization)?)
        .bind(webhook.id.to_string())
        .bind(webhook.state != State::Active);
    found(execute(tx, renew).await?, "lane")
}

const CLOSE: &str = "DELETE FROM lane WHERE transport = $1 AND organization_id = $2 AND lane = $3";

pub(super) async fn close(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    webhook: WebhookId,
) -> Result<(), StoreError> {
    let close = sqlx::query(CLOSE).bind(TRANSPORT).bind(owner(organization)?).bind(webhook.to_string());
    found(execute(tx, close).await?, "lane")
}

const ADVANCE: &str = "
    UPDATE lane SET sequence = $5, failures = $6, failing_since = $7, retry_at = $8, fault = $9,
                    owner = NULL, leased_until = NULL
    WHERE transport = $1 AND organization_id = $2 AND lane = $3 AND owner = $4";

pub(super) async fn advance(tx: &mut PgConnection, moved: &Moved) -> Result<(), StoreError> {
    let trouble = moved.trouble.as_ref();
    let advance = sqlx::query(ADVANCE)
        .bind(moved.key.transport.as_str())
        .bind(chain_key(moved.key.organization)?)
        .bind(moved.key.lane.as_str())
        .bind(moved.owner.0)
        .bind(signed(moved.sequence))
        .bind(trouble.map_or(0, |trouble| i64::from(trouble.failures)))
        .bind(trouble.map(|trouble| trouble.since.as_microseconds()))
        .bind(trouble.map(|trouble| trouble.retry_at.as_microseconds()))
        .bind(trouble.map(|trouble| trouble.fault.as_str()));
    // Somebody else holds it by now.
    if execute(tx, advance).await? == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

const MAKE: &str = "
    INSERT INTO lane (transport, organization_id, lane, sequence, is_paused, failures)
    VALUES ($1, $2, $3, 0, false, 0) ON CONFLICT DO NOTHING";
/// Leases end by the database's clock, and with the node that had them.
const TAKE: &str = "
    UPDATE lane SET owner = $4, leased_until = clock_timestamp() + $5 * interval '1 microsecond'
    WHERE transport = $1 AND organization_id = $2 AND lane = $3 AND NOT is_paused
      AND (retry_at IS NULL OR retry_at <= $6 OR retry_at > $7)
      AND (owner IS NULL OR owner = $4 OR leased_until <= clock_timestamp()
           OR NOT EXISTS (SELECT 1 FROM node WHERE node.id = owner))
      AND EXISTS (SELECT 1 FROM node WHERE node.id = $4)
      AND sequence < (SELECT head.sequence FROM journal_head AS head
                      WHERE head.organization_id = lane.organization_id)";
const READ: &str = "
    SELECT lane.sequence, is_paused, failures, failing_since, retry_at, fault,
           lane.sequence < coalesce(head.sequence, 0) AS is_behind
    FROM lane LEFT JOIN journal_head AS head USING (organization_id)
    WHERE transport = $1 AND organization_id = $2 AND lane = $3";

pub(super) async fn take(
    pool: &PgPool,
    key: &LaneKey,
    lanes: Lanes,
    owner: LeaseId,
    lease: Duration,
    now: Timestamp,
) -> Result<Option<Lane>, StoreError> {
    let chain = chain_key(key.organization)?;
    let (transport, name) = (key.transport.as_str(), key.lane.as_str());
    let mut connection = pool.acquire().await.map_err(store_error)?;
    if lanes == Lanes::OneEach {
        execute(&mut connection, sqlx::query(MAKE).bind(transport).bind(chain).bind(name)).await?;
    }
    let take = sqlx::query(TAKE)
        .bind(transport)
        .bind(chain)
        .bind(name)
        .bind(owner.0)
        .bind(micros(lease))
        .bind(now.as_microseconds())
        .bind(now.after(RETRY_WITHIN).as_microseconds());
    let is_taken = execute(&mut connection, take).await? > 0;
    let read = sqlx::query(READ).bind(transport).bind(chain).bind(name);
    let row = read.fetch_optional(&mut *connection).await.map_err(store_error)?;
    row.map(|row| Ok(Lane { is_taken, ..lane(&row)? })).transpose()
}

pub(super) const OPENED: &str = "
    SELECT organization_id, lane FROM lane
    WHERE transport = $1 AND organization_id = $2 AND NOT is_paused ORDER BY lane";

const OPENED_BEHIND: &str = "
    SELECT organization_id, lane FROM lane JOIN journal_head AS head USING (organization_id)
    WHERE transport = $1 AND NOT is_paused AND lane.sequence < head.sequence
      AND ($2::uuid IS NULL OR (organization_id, lane) > ($2, $3))
    ORDER BY organization_id, lane LIMIT $4";
const ONE_EACH_BEHIND: &str = "
    SELECT head.organization_id, '' AS lane FROM journal_head AS head
    LEFT JOIN lane ON lane.transport = $1 AND lane.organization_id = head.organization_id AND lane.lane = ''
    WHERE coalesce(lane.sequence, 0) < head.sequence AND NOT coalesce(lane.is_paused, false)
      AND ($2::uuid IS NULL OR (head.organization_id, '') > ($2, $3))
    ORDER BY head.organization_id LIMIT $4";

pub(super) const fn behind(lanes: Lanes) -> &'static str {
    match lanes {
        Lanes::Opened => OPENED_BEHIND,
        Lanes::OneEach => ONE_EACH_BEHIND,
    }
}

/// Where a page of lanes begins.
pub(super) fn place(after: Option<&LaneKey>) -> Result<(Option<Uuid>, &str), StoreError> {
    match after {
        Some(after) => Ok((Some(chain_key(after.organization)?), after.lane.as_str())),
        None => Ok((None, "")),
    }
}
