//! Organization types, consortia, partners.

use buildly_auth::identity::user::comparison_key;
use buildly_auth::identity::{Consortium, OrganizationType, Partner};
use buildly_model::StoreError;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::column::{found, instant, json, refusal, to_json};
use crate::engine::store_error;

const TYPES: &str = "
    SELECT number, name, created_at, edited_at FROM organization_type
    ORDER BY name COLLATE \"C\", number LIMIT $1";

pub(super) async fn types(tx: &mut PgConnection, rows_max: u32) -> Result<Vec<OrganizationType>, StoreError> {
    let rows = sqlx::query(TYPES).bind(i64::from(rows_max)).fetch_all(tx).await;
    let read = |row: PgRow| {
        Ok(OrganizationType {
            number: row.try_get("number")?,
            name: row.try_get("name")?,
            created_at: instant(&row, "created_at")?,
            edited_at: instant(&row, "edited_at")?,
        })
    };
    rows.and_then(|rows| rows.into_iter().map(read).collect()).map_err(store_error)
}

const INSERT_TYPE: &str = "
    INSERT INTO organization_type (name, name_key, created_at, edited_at) VALUES ($1, $2, $3, $4)";

pub(super) async fn create_type(tx: &mut PgConnection, kind: &OrganizationType) -> Result<(), StoreError> {
    let query = sqlx::query(INSERT_TYPE)
        .bind(&kind.name)
        .bind(comparison_key(&kind.name))
        .bind(kind.created_at.as_microseconds())
        .bind(kind.edited_at.as_microseconds());
    query.execute(tx).await.map(drop).map_err(refusal)
}

const UPDATE_TYPE: &str = "
    UPDATE organization_type SET name = $1, name_key = $2, edited_at = $3 WHERE number = $4";

pub(super) async fn update_type(tx: &mut PgConnection, kind: &OrganizationType) -> Result<(), StoreError> {
    let query = sqlx::query(UPDATE_TYPE)
        .bind(&kind.name)
        .bind(comparison_key(&kind.name))
        .bind(kind.edited_at.as_microseconds())
        .bind(kind.number);
    found(&query.execute(tx).await.map_err(refusal)?, "organization type")
}

const DELETE_TYPE: &str = "DELETE FROM organization_type WHERE number = $1";

/// Nothing else in the details is written like this: quotes within texts are escaped.
const HAS_TYPE: &str = "
    SELECT 1 FROM organization WHERE strpos(details, '\"organization_type\":' || $1::text || ',') > 0 LIMIT 1";

pub(super) async fn delete_type(tx: &mut PgConnection, number: i64) -> Result<(), StoreError> {
    let used = sqlx::query(HAS_TYPE).bind(number.to_string()).fetch_optional(&mut *tx).await;
    if used.map_err(store_error)?.is_some() {
        return Err(StoreError::Stale);
    }
    let done = sqlx::query(DELETE_TYPE).bind(number).execute(tx).await.map_err(store_error)?;
    found(&done, "organization type")
}

const CONSORTIA: &str = "
    SELECT id, name, organizations, created_at, edited_at FROM consortium
    ORDER BY name COLLATE \"C\", id LIMIT $1";

pub(super) async fn consortia(tx: &mut PgConnection, rows_max: u32) -> Result<Vec<Consortium>, StoreError> {
    let rows = sqlx::query(CONSORTIA).bind(i64::from(rows_max)).fetch_all(tx).await;
    let read = |row: PgRow| {
        Ok(Consortium {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            organizations: json(&row, "organizations")?,
            created_at: instant(&row, "created_at")?,
            edited_at: instant(&row, "edited_at")?,
        })
    };
    rows.and_then(|rows| rows.into_iter().map(read).collect()).map_err(store_error)
}

const SAVE_CONSORTIUM: &str = "
    INSERT INTO consortium (id, name, organizations, created_at, edited_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, organizations = excluded.organizations,
        edited_at = excluded.edited_at";

pub(super) async fn save_consortium(
    tx: &mut PgConnection,
    consortium: &Consortium,
) -> Result<(), StoreError> {
    let query = sqlx::query(SAVE_CONSORTIUM)
        .bind(consortium.id)
        .bind(&consortium.name)
        .bind(to_json(&consortium.organizations)?)
        .bind(consortium.created_at.as_microseconds())
        .bind(consortium.edited_at.as_microseconds());
    query.execute(tx).await.map(drop).map_err(refusal)
}

const DELETE_CONSORTIUM: &str = "DELETE FROM consortium WHERE id = $1";

pub(super) async fn delete_consortium(tx: &mut PgConnection, id: Uuid) -> Result<(), StoreError> {
    let done = sqlx::query(DELETE_CONSORTIUM).bind(id).execute(tx).await.map_err(store_error)?;
    found(&done, "consortium")
}

const PARTNERS: &str = "SELECT id, name FROM partner ORDER BY name COLLATE \"C\", id LIMIT $1";

pub(super) async fn partners(tx: &mut PgConnection, rows_max: u32) -> Result<Vec<Partner>, StoreError> {
    let rows = sqlx::query(PARTNERS).bind(i64::from(rows_max)).fetch_all(tx).await;
    let read = |row: PgRow| Ok(Partner { id: row.try_get("id")?, name: row.try_get("name")? });
    rows.and_then(|rows| rows.into_iter().map(read).collect()).map_err(store_error)
}

const SAVE_PARTNER: &str = "
    INSERT INTO partner (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name";

pub(super) async fn save_partner(tx: &mut PgConnection, partner: &Partner) -> Result<(), StoreError> {
    let query = sqlx::query(SAVE_PARTNER).bind(partner.id).bind(&partner.name);
    query.execute(tx).await.map(drop).map_err(refusal)
}

const DELETE_PARTNER: &str = "DELETE FROM partner WHERE id = $1";

pub(super) async fn delete_partner(tx: &mut PgConnection, id: Uuid) -> Result<(), StoreError> {
    let done = sqlx::query(DELETE_PARTNER).bind(id).execute(tx).await.map_err(store_error)?;
    found(&done, "partner")
}
