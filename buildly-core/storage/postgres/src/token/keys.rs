//! Signing keys and issuers.

use buildly_auth::token::{KeyId, StoredKey};
use buildly_model::{StoreError, Timestamp};
use sqlx::{PgConnection, Row};

use super::column::{self, execute, list, micros};

const ADD_KEY: &str = "
    INSERT INTO signing_key (id, generation, algorithm, public, sealed, created_at, signs_from, verifies_until)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";

pub(super) async fn add(tx: &mut PgConnection, key: &StoredKey) -> Result<(), StoreError> {
    let add = sqlx::query(ADD_KEY)
        .bind(key.id.as_str())
        .bind(key.generation)
        .bind(key.algorithm.name())
        .bind(&key.public)
        .bind(&key.sealed)
        .bind(key.created_at.as_microseconds())
        .bind(key.signs_from.as_microseconds())
        .bind(micros(key.verifies_until));
    match execute(tx, add).await? {
        0 => Err(StoreError::Taken { field: "generation" }),
        _ => Ok(()),
    }
}

const RETIRE_KEY: &str = "UPDATE signing_key SET verifies_until = $2 WHERE id = $1";

pub(super) async fn retire(
    tx: &mut PgConnection,
    key: &KeyId,
    verifies_until: Timestamp,
) -> Result<(), StoreError> {
    let retire = sqlx::query(RETIRE_KEY).bind(key.as_str()).bind(verifies_until.as_microseconds());
    match execute(tx, retire).await? {
        0 => Err(StoreError::Missing { what: "signing key" }),
        _ => Ok(()),
    }
}

const REMOVE_KEY: &str = "DELETE FROM signing_key WHERE id = $1";

pub(super) async fn remove(tx: &mut PgConnection, key: &KeyId) -> Result<(), StoreError> {
    execute(tx, sqlx::query(REMOVE_KEY).bind(key.as_str())).await.map(drop)
}

const USE_ISSUER: &str = "INSERT INTO issuer (name, used_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";

pub(super) async fn use_issuer(tx: &mut PgConnection, issuer: &str, at: Timestamp) -> Result<(), StoreError> {
    execute(tx, sqlx::query(USE_ISSUER).bind(issuer).bind(at.as_microseconds())).await.map(drop)
}

const KEYS: &str = "
    SELECT id, generation, algorithm, public, sealed, created_at, signs_from, verifies_until
    FROM signing_key ORDER BY generation";

pub(super) async fn all(tx: &mut PgConnection) -> Result<Vec<StoredKey>, StoreError> {
    let read = |row: &sqlx::postgres::PgRow| {
        Ok(StoredKey {
            id: row.try_get::<String, _>(0).map(KeyId::from_text)?,
            generation: row.try_get(1)?,
            algorithm: column::word(row, 2, |name| name.parse().ok())?,
            public: row.try_get(3)?,
            sealed: row.try_get(4)?,
            created_at: column::at(row, 5)?,
            signs_from: column::at(row, 6)?,
            verifies_until: column::optional_at(row, 7)?,
        })
    };
    list(tx, sqlx::query(KEYS), read).await
}

const ISSUERS: &str = "SELECT name FROM issuer ORDER BY name";

pub(super) async fn issuers(tx: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    list(tx, sqlx::query(ISSUERS), |row| row.try_get(0)).await
}
