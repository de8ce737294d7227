//! The schema of a service in a PostgreSQL database.

use std::str::FromStr;
use std::time::Duration;

use buildly_model::StoreError;
use buildly_storage_postgres::engine::store_error;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row as _};

use crate::shape::{Shape, Unique};
use crate::statement::{Dialect, Expected, Statement};
use crate::table;
use crate::value::{Cell, Kind};
use crate::version::{self, Version};

const CONNECTIONS_MAX: u32 = 10;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Serializes those who bring one schema up to date; held by the transaction.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('buildly-kit ' || $1, 0))";
const COLUMNS: &str = "
    SELECT column_name::text, data_type::text FROM information_schema.columns
    WHERE table_schema = $1 AND table_name = $2";

/// Opens the schema and brings its tables up to date, all or nothing.
pub(super) async fn open(
    (url, schema): (&str, &str),
    shapes: &[Shape],
    known: Version,
) -> Result<PgPool, StoreError> {
    if !schema.starts_with(|first: char| first.is_ascii_lowercase())
        || !schema.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    {
        return Err(StoreError::corrupt(format!(
            "`{schema}` is no name for a schema; expected a-z, 0-9 and _"
        )));
    }
    let options = PgConnectOptions::from_str(url).map_err(store_error)?.options([("search_path", schema)]);
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(store_error)?;
    let mut tx = pool.begin().await.map_err(store_error)?;
    sqlx::query(LOCK).bind(schema).execute(&mut *tx).await.map_err(store_error)?;
    let mut prelude = format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\";");
    prelude.push_str(&version::create(Dialect::Postgres));
    sqlx::raw_sql(AssertSqlSafe(prelude)).execute(&mut *tx).await.map_err(store_error)?;
    let found: Option<(i64, i64)> =
        sqlx::query_as(version::SELECT).fetch_optional(&mut *tx).await.map_err(store_error)?;
    let mut statements = table::own_tables(Dialect::Postgres);
    if let Some(sql) = known.follow(found.map(|(kit, service)| Version { kit, service }))? {
        statements.push_str(&sql);
    }
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *tx).await.map_err(store_error)?;
    for shape in shapes {
        let existing = sqlx::query_as::<_, (String, String)>(COLUMNS)
            .bind(schema)
            .bind(shape.name())
            .fetch_all(&mut *tx)
            .await
            .map_err(store_error)?;
        for sql in table::bring_up_to_date(Dialect::Postgres, shape, &existing)? {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await.map_err(store_error)?;
        }
    }
    tx.commit().await.map_err(store_error)?;
    Ok(pool)
}

/// Asks one statement.
pub(super) async fn rows(pool: &PgPool, statement: &Statement) -> Result<Vec<Vec<Cell>>, StoreError> {
    let rows = query(statement).fetch_all(pool).await.map_err(store_error)?;
    rows.iter().map(|row| read(row, &statement.columns)).collect::<Result<_, _>>().map_err(store_error)
}

/// Writes all statements, or none.
pub(super) async fn write(
    pool: &PgPool,
    statements: &[Statement],
    uniques: &[Unique],
) -> Result<(), StoreError> {
    let mut tx = pool.begin().await.map_err(store_error)?;
    for statement in statements {
        let touched = if statement.columns.is_empty() {
            let done = query(statement).execute(&mut *tx).await.map_err(|error| refused(error, uniques))?;
            done.rows_affected()
        } else {
            let rows = query(statement).fetch_all(&mut *tx).await.map_err(|error| refused(error, uniques))?;
            rows.len() as u64
        };
        match statement.expected {
            Expected::Any => {}
            Expected::One if touched == 1 => {}
            Expected::None(_) if touched == 0 => {}
            Expected::One => return Err(StoreError::Stale),
            Expected::None(what) => return Err(StoreError::Missing { what }),
        }
    }
    tx.commit().await.map_err(|error| refused(error, uniques))
}

/// Serialization failures and deadlocks are stale reads; a unique rule names its field.
fn refused(error: sqlx::Error, uniques: &[Unique]) -> StoreError {
    if let sqlx::Error::Database(cause) = &error {
        if matches!(cause.code().as_deref(), Some("40001" | "40P01")) {
            return StoreError::Stale;
        }
        let broken = cause.constraint().and_then(|name| uniques.iter().find(|unique| unique.index == name));
        if let Some(unique) = broken {
            return StoreError::Taken { field: unique.field };
        }
    }
    store_error(error)
}

fn query(statement: &Statement) -> Query<'_, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(statement.sql.as_str()));
    statement.cells.iter().fold(query, |query, cell| match cell {
        Cell::Null(Kind::Text | Kind::Json) => query.bind(None::<String>),
        Cell::Null(Kind::Uuid) => query.bind(None::<uuid::Uuid>),
        Cell::Null(Kind::Integer | Kind::Instant) => query.bind(None::<i64>),
        Cell::Null(Kind::Number) => query.bind(None::<f64>),
        Cell::Null(Kind::Boolean) => query.bind(None::<bool>),
        Cell::Text(text) => query.bind(text.as_str()),
        Cell::Uuid(uuid) => query.bind(*uuid),
        Cell::Integer(number) => query.bind(*number),
        Cell::Number(number) => query.bind(*number),
        Cell::Boolean(boolean) => query.bind(*boolean),
    })
}

fn read(row: &PgRow, columns: &[Kind]) -> Result<Vec<Cell>, sqlx::Error> {
    let mut cells = Vec::with_capacity(columns.len());
    for (position, kind) in columns.iter().enumerate() {
        let cell = match kind {
            Kind::Text | Kind::Json => row.try_get::<Option<String>, _>(position)?.map(Cell::Text),
            Kind::Uuid => row.try_get::<Option<uuid::Uuid>, _>(position)?.map(Cell::Uuid),
            Kind::Integer | Kind::Instant => row.try_get::<Option<i64>, _>(position)?.map(Cell::Integer),
            Kind::Number => row.try_get::<Option<f64>, _>(position)?.map(Cell::Number),
            Kind::Boolean => row.try_get::<Option<bool>, _>(position)?.map(Cell::Boolean),
        };
        cells.push(cell.unwrap_or(Cell::Null(*kind)));
    }
    Ok(cells)
}
