//! Numbered migrations, run under a lock.

use std::borrow::Cow;

use buildly_model::StoreError;
use rusqlite::{Connection, TransactionBehavior};

use super::store_error;

/// One step of a schema; never edited once released.
#[derive(Debug, Clone)]
pub struct Migration {
    /// Its number, from 1, without gaps.
    pub number: u32,
    /// Its name, as in the file `0001_name.sql`.
    pub name: Cow<'static, str>,
    /// Its statements.
    pub sql: Cow<'static, str>,
}

impl Migration {
    /// A migration that is part of the program: `Migration::new(1, "journal", include_str!(…))`.
    #[must_use]
    pub const fn new(number: u32, name: &'static str, sql: &'static str) -> Self {
        Self { number, name: Cow::Borrowed(name), sql: Cow::Borrowed(sql) }
    }
}

const CREATE: &str = "
    CREATE TABLE IF NOT EXISTS schema_migration (
        number     INTEGER PRIMARY KEY,
        name       TEXT    NOT NULL,
        applied_at INTEGER NOT NULL
    ) STRICT";
const EXISTS: &str = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migration'";
const APPLIED: &str = "SELECT number, name FROM schema_migration ORDER BY number";
const INSERT: &str = "
    INSERT INTO schema_migration (number, name, applied_at)
    VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000000 AS INTEGER))";

/// Applies what is missing, all or nothing, while no other process can write.
pub(super) fn run(connection: &mut Connection, migrations: &[Migration]) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(store_error)?;
    tx.execute_batch(CREATE).map_err(store_error)?;
    for migration in pending(&applied(&tx)?, migrations)? {
        tx.execute_batch(&migration.sql).map_err(|error| {
            StoreError::corrupt(format!(
                "migration {} ({}) failed: {error}",
                migration.number, migration.name
            ))
        })?;
        tx.execute(INSERT, (migration.number, &migration.name)).map_err(store_error)?;
        tracing::info!(number = migration.number, name = %migration.name, "migration applied");
    }
    tx.commit().map_err(store_error)
}

/// Checks that this program understands the schema, without changing it.
pub(super) fn check(connection: &Connection, migrations: &[Migration]) -> Result<(), StoreError> {
    let tables: u32 = connection.query_row(EXISTS, [], |row| row.get(0)).map_err(store_error)?;
    if tables == 0 {
        return Err(StoreError::corrupt("the file was not made by this program"));
    }
    pending(&applied(connection)?, migrations).map(|_| ())
}

fn applied(connection: &Connection) -> Result<Vec<(u32, String)>, StoreError> {
    let mut statement = connection.prepare(APPLIED).map_err(store_error)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(store_error)?;
    rows.collect::<Result<_, _>>().map_err(store_error)
}

/// What is still to be applied; refuses a schema that this program does not know.
fn pending<'a>(applied: &[(u32, String)], known: &'a [Migration]) -> Result<&'a [Migration], StoreError> {
    let newest = known.last().map_or(0, |migration| migration.number);
    if let Some((number, name)) = applied.last().filter(|(number, _)| *number > newest) {
        return Err(StoreError::corrupt(format!(
            "its schema is at migration {number} ({name}), and this program knows migrations up to {newest} only; \
             start a program at least as new as the one that wrote it, or restore a backup made before that"
        )));
    }
    let fits = |((number, name), migration): (&(u32, String), &Migration)| {
        *number == migration.number && *name == migration.name
    };
    if !applied.iter().zip(known).all(fits) || applied.len() > known.len() {
        return Err(StoreError::corrupt(
            "its migrations are others than this program's; it belongs to another program",
        ));
    }
    Ok(known.get(applied.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests;
