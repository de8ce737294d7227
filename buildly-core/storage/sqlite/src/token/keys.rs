//! Signing keys and issuers.

use buildly_auth::token::{KeyId, StoredKey};
use buildly_model::{StoreError, Timestamp};
use rusqlite::{Connection, params};

use super::row::{self, execute, list, micros};

const ADD_KEY: &str = "
    INSERT INTO signing_key (id, generation, algorithm, public, sealed, created_at, signs_from, verifies_until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING";

pub(super) fn add(tx: &Connection, key: &StoredKey) -> Result<(), StoreError> {
    let values = params![
        key.id.as_str(),
        key.generation,
        key.algorithm.name(),
        key.public,
        key.sealed,
        key.created_at.as_microseconds(),
        key.signs_from.as_microseconds(),
        micros(key.verifies_until),
    ];
    match execute(tx, ADD_KEY, values)? {
        0 => Err(StoreError::Taken { field: "generation" }),
        _ => Ok(()),
    }
}

const RETIRE_KEY: &str = "UPDATE signing_key SET verifies_until = ?2 WHERE id = ?1";

pub(super) fn retire(tx: &Connection, key: &KeyId, verifies_until: Timestamp) -> Result<(), StoreError> {
    match execute(tx, RETIRE_KEY, params![key.as_str(), verifies_until.as_microseconds()])? {
        0 => Err(StoreError::Missing { what: "signing key" }),
        _ => Ok(()),
    }
}

const REMOVE_KEY: &str = "DELETE FROM signing_key WHERE id = ?1";

pub(super) fn remove(tx: &Connection, key: &KeyId) -> Result<(), StoreError> {
    execute(tx, REMOVE_KEY, [key.as_str()]).map(drop)
}

const USE_ISSUER: &str = "INSERT INTO issuer (name, used_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

pub(super) fn use_issuer(tx: &Connection, issuer: &str, at: Timestamp) -> Result<(), StoreError> {
    execute(tx, USE_ISSUER, params![issuer, at.as_microseconds()]).map(drop)
}

const KEYS: &str = "
    SELECT id, generation, algorithm, public, sealed, created_at, signs_from, verifies_until
    FROM signing_key ORDER BY generation";

pub(super) fn all(tx: &Connection) -> Result<Vec<StoredKey>, StoreError> {
    list(tx, KEYS, [], |row| {
        Ok(StoredKey {
            id: row.get(0).map(|id: String| KeyId::from_text(id))?,
            generation: row.get(1)?,
            algorithm: row::word(row, 2, |name| name.parse().ok())?,
            public: row.get(3)?,
            sealed: row.get(4)?,
            created_at: row::at(row, 5)?,
            signs_from: row::at(row, 6)?,
            verifies_until: row::optional_at(row, 7)?,
        })
    })
}

const ISSUERS: &str = "SELECT name FROM issuer ORDER BY name";

pub(super) fn issuers(tx: &Connection) -> Result<Vec<String>, StoreError> {
    list(tx, ISSUERS, [], |row| row.get(0))
}
