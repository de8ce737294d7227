//! The columns of extensions' tables, read and written.

use std::str::FromStr;
use std::time::Duration;

use buildly_extension::webhook::{Delivery, Webhook};
use buildly_extension::{Lane, LaneKey, Trouble};
use buildly_model::{DeliveryId, EventId, OrganizationId, StoreError, Timestamp, WebhookId};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use crate::engine::store_error;
use crate::journal;

/// The columns of a webhook and of its lane.
pub(super) const WEBHOOK_AND_LANE: &str = "
    SELECT webhook.id, url, description, kinds, state, created_at,
           lane.sequence, is_paused, failures, failing_since, retry_at, fault,
           lane.sequence < coalesce(head.sequence, 0) AS is_behind
    FROM webhook
    JOIN lane ON lane.transport = $1 AND lane.organization_id = webhook.organization_id
             AND lane.lane = webhook.id::text
    LEFT JOIN journal_head AS head ON head.organization_id = webhook.organization_id
    WHERE webhook.organization_id = $2 AND ($3::uuid IS NULL OR webhook.id = $3) ORDER BY number";

/// Runs a statement; how many rows it changed.
pub(super) async fn execute(
    tx: &mut PgConnection,
    statement: Query<'_, sqlx::Postgres, PgArguments>,
) -> Result<u64, StoreError> {
    statement.execute(tx).await.map(|done| done.rows_affected()).map_err(store_error)
}

pub(super) fn webhook(row: &PgRow) -> Result<Webhook, StoreError> {
    let read = || {
        let kinds: &str = row.try_get("kinds")?;
        let state: &str = row.try_get("state")?;
        Ok(Webhook {
            id: WebhookId::from_uuid(row.try_get("id")?),
            url: row.try_get("url")?,
            description: row.try_get("description")?,
            kinds: serde_json::from_str(kinds).map_err(|error| broken("kinds", error))?,
            state: FromStr::from_str(state).map_err(|error| broken("state", error))?,
            created_at: Timestamp::from_microseconds(row.try_get("created_at")?),
        })
    };
    read().map_err(store_error)
}

pub(super) fn lane(row: &PgRow) -> Result<Lane, StoreError> {
    let read = || {
        let instant = |column: &str| -> sqlx::Result<Option<Timestamp>> {
            Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_microseconds))
        };
        let trouble = match (instant("failing_since")?, instant("retry_at")?) {
            (Some(since), Some(retry_at)) => Some(Trouble {
                failures: number(row, "failures")?,
                since,
                retry_at,
                fault: row.try_get::<Option<String>, _>("fault")?.unwrap_or_default(),
            }),
            _ => None,
        };
        Ok(Lane {
            sequence: number(row, "sequence")?,
            is_taken: false,
            is_behind: row.try_get("is_behind")?,
            is_paused: row.try_get("is_paused")?,
            trouble,
        })
    };
    read().map_err(store_error)
}

/// Reads `organization_id, lane`.
pub(super) fn key(row: &PgRow, transport: &str) -> Result<LaneKey, StoreError> {
    let read = || {
        Ok(LaneKey {
            transport: transport.to_owned(),
            organization: journal::organization(row.try_get("organization_id")?),
            lane: row.try_get("lane")?,
        })
    };
    read().map_err(store_error)
}

/// A delivery and its place.
pub(super) fn delivery(row: &PgRow) -> Result<(Delivery, u64), StoreError> {
    let read = || {
        let status: Option<i64> = row.try_get("status")?;
        let delivery = Delivery {
            id: DeliveryId::from_uuid(row.try_get("id")?),
            sequence: number(row, "sequence")?,
            event: EventId::from_uuid(row.try_get::<Uuid, _>("event_id")?),
            kind: row.try_get("kind")?,
            at: Timestamp::from_microseconds(row.try_get("at")?),
            attempt: number(row, "attempt")?,
            status: status.map(u16::try_from).transpose().map_err(|error| broken("status", error))?,
            fault: row.try_get("fault")?,
            took: Duration::from_micros(number(row, "took")?),
            is_replay: row.try_get("is_replay")?,
        };
        Ok((delivery, number(row, "number")?))
    };
    read().map_err(store_error)
}

pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// The organization of the part: nothing crosses an organization.
pub(super) fn owner(organization: Option<OrganizationId>) -> Result<Uuid, StoreError> {
    organization.map(|id| id.as_uuid()).ok_or(StoreError::Missing { what: "organization" })
}

pub(super) fn found(rows: u64, what: &'static str) -> Result<(), StoreError> {
    if rows == 0 { Err(StoreError::Missing { what }) } else { Ok(()) }
}

fn number<T: TryFrom<i64, Error = std::num::TryFromIntError>>(row: &PgRow, column: &str) -> sqlx::Result<T> {
    T::try_from(row.try_get::<i64, _>(column)?).map_err(|error| broken(column, error))
}

fn broken(column: &str, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() }
}
