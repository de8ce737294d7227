//! Numbered migrations, run under a lock.

use std::borrow::Cow;
use std::time::Duration;

use buildly_model::StoreError;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::schema::Schema;
use super::store_error;

/// The oldest version that has 64-bit transaction ids.
const VERSION_MIN: i32 = 130_000;

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

/// Migrations may take long, and several nodes that start together wait for the first.
const PATIENCE: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";
/// But whoever waits for a table that is in use lets nobody else at it meanwhile.
const IMPATIENCE: &str = "SET LOCAL lock_timeout = '2s'";
/// How often a migration is tried that finds a table in use, and the pause between.
const ATTEMPTS_MAX: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('buildly migrations of ' || $1, 0))";
const VERSION: &str = "SELECT current_setting('server_version_num')::integer";
/// Asked first: making a schema, even one that exists, needs a right that running does not.
const SCHEMA_EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)";
const TABLE_EXISTS: &str = "SELECT to_regclass($1 || '.schema_migration') IS NOT NULL";
const CREATE: &str = "
    CREATE TABLE schema_migration (
        number     integer     PRIMARY KEY,
        name       text        NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )";
const APPLIED: &str = "SELECT number, name FROM schema_migration ORDER BY number";
const INSERT: &str = "INSERT INTO schema_migration (number, name) VALUES ($1, $2)";

/// Applies what is missing, all or nothing, while no other node does. Nodes of the version before
/// may be serving; a table that they use is waited for in several goes.
pub(super) async fn run(
    connection: &mut PgConnection,
    schema: &Schema,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let mut attempts = 1;
    loop {
        match attempt(connection, schema, migrations).await {
            Err(error) if is_in_use(&error) && attempts < ATTEMPTS_MAX => {
                tracing::info!("a table is in use; the migration is tried again");
                attempts += 1;
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

/// Whether a lock was not given in time (SQLSTATE 55P03).
fn is_in_use(error: &StoreError) -> bool {
    let StoreError::Unavailable { source: Some(source), .. } = error else { return false };
    let Some(sqlx::Error::Database(database)) = source.downcast_ref() else { return false };
    database.code().is_some_and(|code| code == "55P03")
}

async fn attempt(
    connection: &mut PgConnection,
    schema: &Schema,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let mut tx = connection.begin().await.map_err(store_error)?;
    sqlx::raw_sql(PATIENCE).execute(&mut *tx).await.map_err(store_error)?;
    sqlx::query(LOCK).bind(schema.name()).execute(&mut *tx).await.map_err(store_error)?;
    sqlx::raw_sql(IMPATIENCE).execute(&mut *tx).await.map_err(store_error)?;
    let version: i32 = sqlx::query_scalar(VERSION).fetch_one(&mut *tx).await.map_err(store_error)?;
    if version < VERSION_MIN {
        return Err(super::unavailable(format!(
            "PostgreSQL {} or newer is needed, this is {}",
            VERSION_MIN / 10_000,
            version / 10_000
        )));
    }
    prepare(&mut tx, schema).await?;
    for migration in pending(&applied(&mut tx).await?, migrations)? {
        apply(&mut tx, migration).await?;
    }
    tx.commit().await.map_err(store_error)
}

/// Checks that this program understands the schema, without changing it.
pub(super) async fn check(
    connection: &mut PgConnection,
    schema: &Schema,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let exists = sqlx::query_scalar(TABLE_EXISTS).bind(schema.name()).fetch_one(&mut *connection).await;
    if !exists.map_err(store_error)? {
        return Err(super::unavailable(format!(
            "the database has no data of this program in the schema `{}`",
            schema.name()
        )));
    }
    pending(&applied(connection).await?, migrations).map(|_| ())
}

/// Whether the schema is there, be it empty.
pub(super) async fn has_schema(connection: &mut PgConnection, schema: &Schema) -> Result<bool, StoreError> {
    let exists = sqlx::query_scalar(SCHEMA_EXISTS).bind(schema.name()).fetch_one(connection).await;
    exists.map_err(store_error)
}

async fn prepare(tx: &mut PgConnection, schema: &Schema) -> Result<(), StoreError> {
    let name = schema.name();
    if !has_schema(tx, schema).await? {
        // The name was parsed: letters, digits and underscores only.
        let create = AssertSqlSafe(format!("CREATE SCHEMA {name}"));
        sqlx::raw_sql(create).execute(&mut *tx).await.map_err(store_error)?;
    }
    let exists = sqlx::query_scalar(TABLE_EXISTS).bind(name).fetch_one(&mut *tx).await;
    if !exists.map_err(store_error)? {
        sqlx::raw_sql(CREATE).execute(&mut *tx).await.map_err(store_error)?;
    }
    Ok(())
}

async fn applied(tx: &mut PgConnection) -> Result<Vec<(u32, String)>, StoreError> {
    let rows = sqlx::query(APPLIED).fetch_all(tx).await.map_err(store_error)?;
    let read = rows.into_iter().map(|row| {
        let number: i32 = row.try_get(0).map_err(store_error)?;
        let number =
            u32::try_from(number).map_err(|_| StoreError::corrupt("a migration's number is negative"))?;
        Ok((number, row.try_get(1).map_err(store_error)?))
    });
    read.collect()
}

async fn apply(tx: &mut PgConnection, migration: &Migration) -> Result<(), StoreError> {
    let Migration { number, name, sql } = migration;
    let statements = AssertSqlSafe(sql.clone().into_owned());
    if let Err(error) = sqlx::raw_sql(statements).execute(&mut *tx).await {
        let sentence = format!("migration {number} ({name}) failed: {error}");
        let error = store_error(error);
        return Err(if is_in_use(&error) { error } else { StoreError::corrupt(sentence) });
    }
    let insert = sqlx::query(INSERT).bind(number.cast_signed()).bind(name.as_ref());
    insert.execute(&mut *tx).await.map_err(store_error)?;
    tracing::info!(number, name = %name, "migration applied");
    Ok(())
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
