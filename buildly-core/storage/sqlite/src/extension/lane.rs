//! Lanes: opened, taken, moved.

use std::time::Duration;

use buildly_extension::webhook::{State, TRANSPORT, Webhook};
use buildly_extension::{Lane, LaneKey, Lanes, Moved};
use buildly_journal::LeaseId;
use buildly_model::{OrganizationId, StoreError, Timestamp, WebhookId};
use rusqlite::{Connection, params};

use super::row::{LANE, all, execute, found, key, lane, micros, owner, signed};
use crate::journal::chain_key;

/// A lane is never left alone for longer than that, also if a clock was set back.
const RETRY_WITHIN: Duration = Duration::from_secs(2 * 3600);

const OPEN: &str = "
    INSERT INTO lane (transport, organization_id, lane, sequence, is_paused, failures)
    VALUES (?1, ?2, ?3, ?4, ?5, 0)";

pub(super) fn open(
    tx: &Connection,
    organization: Option<OrganizationId>,
    webhook: &Webhook,
    after_sequence: u64,
) -> Result<(), StoreError> {
    let (owner, lane) = (owner(organization)?, webhook.id.to_string());
    let values = params![TRANSPORT, owner, lane, signed(after_sequence), webhook.state != State::Active];
    execute(tx, OPEN, values).map(drop)
}

const RENEW: &str = "
    UPDATE lane SET is_paused = ?4, failures = 0, failing_since = NULL, retry_at = NULL, fault = NULL
    WHERE transport = ?1 AND organization_id = ?2 AND lane = ?3";

/// What was wrong with it is over.
pub(super) fn renew(
    tx: &Connection,
    organization: Option<OrganizationId>,
    webhook: &Webhook,
) -> Result<(), StoreError> {
    let (owner, lane) = (owner(organization)?, webhook.id.to_string());
    found(execute(tx, RENEW, params![TRANSPORT, owner, lane, webhook.state != State::Active])?, "lane")
}

const CLOSE: &str = "DELETE FROM lane WHERE transport = ?1 AND organization_id = ?2 AND lane = ?3";

pub(super) fn close(
    tx: &Connection,
    organization: Option<OrganizationId>,
    webhook: WebhookId,
) -> Result<(), StoreError> {
    found(execute(tx, CLOSE, params![TRANSPORT, owner(organization)?, webhook.to_string()])?, "lane")
}

const ADVANCE: &str = "
    UPDATE lane SET sequence = ?5, failures = ?6, failing_since = ?7, retry_at = ?8, fault = ?9,
                    owner = NULL, leased_until = NULL
    WHERE transport = ?1 AND organization_id = ?2 AND lane = ?3 AND owner = ?4";

pub(super) fn advance(tx: &Connection, moved: &Moved) -> Result<(), StoreError> {
    let trouble = moved.trouble.as_ref();
    let values = params![
        moved.key.transport,
        chain_key(moved.key.organization)?,
        moved.key.lane,
        moved.owner.to_string(),
        signed(moved.sequence),
        trouble.map_or(0, |trouble| trouble.failures),
        trouble.map(|trouble| trouble.since.as_microseconds()),
        trouble.map(|trouble| trouble.retry_at.as_microseconds()),
        trouble.map(|trouble| trouble.fault.as_str()),
    ];
    // Somebody else holds it by now.
    if execute(tx, ADVANCE, values)? == 0 { Err(StoreError::Stale) } else { Ok(()) }
}

const MAKE: &str = "
    INSERT INTO lane (transport, organization_id, lane, sequence, is_paused, failures)
    VALUES (?1, ?2, ?3, 0, 0, 0) ON CONFLICT DO NOTHING";
/// Leases that ended are those of processes that are gone.
const TAKE: &str = "
    UPDATE lane SET owner = ?4, leased_until = ?5
    WHERE transport = ?1 AND organization_id = ?2 AND lane = ?3 AND NOT is_paused
      AND (retry_at IS NULL OR retry_at <= ?6 OR retry_at > ?7)
      AND (owner IS NULL OR owner = ?4 OR leased_until <= ?8
           OR owner NOT IN (SELECT value FROM json_each(?9)))
      AND sequence < (SELECT head.sequence FROM journal_head AS head
                      WHERE head.organization_id = lane.organization_id)";

/// By whom, for how long, and at what time of this process.
pub(super) struct Taking {
    pub(super) owner: LeaseId,
    pub(super) lease: Duration,
    pub(super) live: Vec<LeaseId>,
    pub(super) steady: Duration,
    pub(super) now: Timestamp,
}

pub(super) fn take(
    tx: &Connection,
    key: &LaneKey,
    lanes: Lanes,
    taking: &Taking,
) -> Result<Option<Lane>, StoreError> {
    let chain = chain_key(key.organization)?;
    if lanes == Lanes::OneEach {
        execute(tx, MAKE, params![key.transport, chain, key.lane])?;
    }
    let live: Vec<String> = taking.live.iter().map(ToString::to_string).collect();
    let is_taken = taking.live.contains(&taking.owner)
        && execute(
            tx,
            TAKE,
            params![
                key.transport,
                chain,
                key.lane,
                taking.owner.to_string(),
                micros(taking.steady.saturating_add(taking.lease)),
                taking.now.as_microseconds(),
                taking.now.after(RETRY_WITHIN).as_microseconds(),
                micros(taking.steady),
                serde_json::Value::from(live).to_string(),
            ],
        )? > 0;
    let sql = format!("SELECT {LANE} FROM lane WHERE transport = ?1 AND organization_id = ?2 AND lane = ?3");
    let found = all(tx, &sql, params![key.transport, chain, key.lane], |row| lane(row, 0))?;
    Ok(found.into_iter().next().map(|lane| Lane { is_taken, ..lane }))
}

const OPENED: &str = "
    SELECT organization_id, lane FROM lane
    WHERE transport = ?1 AND organization_id = ?2 AND NOT is_paused ORDER BY lane";

pub(super) fn opened(
    tx: &Connection,
    transport: &str,
    organization: Option<OrganizationId>,
) -> Result<Vec<LaneKey>, StoreError> {
    all(tx, OPENED, params![transport, chain_key(organization)?], |row| key(row, transport))
}

const OPENED_BEHIND: &str = "
    SELECT organization_id, lane FROM lane JOIN journal_head AS head USING (organization_id)
    WHERE transport = ?1 AND NOT is_paused AND lane.sequence < head.sequence
      AND (organization_id, lane) > (?2, ?3)
    ORDER BY organization_id, lane LIMIT ?4";
const ONE_EACH_BEHIND: &str = "
    SELECT head.organization_id, '' FROM journal_head AS head
    LEFT JOIN lane ON lane.transport = ?1 AND lane.organization_id = head.organization_id AND lane.lane = ''
    WHERE coalesce(lane.sequence, 0) < head.sequence AND NOT coalesce(lane.is_paused, 0)
      AND (head.organization_id, '') > (?2, ?3)
    ORDER BY head.organization_id LIMIT ?4";

pub(super) fn behind(
    tx: &Connection,
    transport: &str,
    lanes: Lanes,
    after: Option<&LaneKey>,
    lanes_max: u32,
) -> Result<Vec<LaneKey>, StoreError> {
    let sql = match lanes {
        Lanes::Opened => OPENED_BEHIND,
        Lanes::OneEach => ONE_EACH_BEHIND,
    };
    // The empty text sorts before the nil UUID of the deployment.
    let (chain, lane) = match after {
        Some(after) => (chain_key(after.organization)?, after.lane.as_str()),
        None => (String::new(), ""),
    };
    all(tx, sql, params![transport, chain, lane, lanes_max], |row| key(row, transport))
}
