//! The SQLite file of a service.

use std::path::Path;

use buildly_model::StoreError;
use buildly_storage_sqlite::engine::{Engine, FolderLock, Options, store_error, unique};
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params_from_iter};
use uuid::Uuid;

use crate::shape::{Shape, Unique};
use crate::statement::{Dialect, Expected, Statement};
use crate::table;
use crate::value::{Cell, Kind};
use crate::version::{self, Version};

const COLUMNS: &str = "SELECT name, type FROM pragma_table_info(?1)";

/// Opens the file for this process alone and brings its tables up to date, all or nothing.
pub(super) async fn open(path: &Path, shapes: Vec<Shape>, version: Version) -> Result<Engine, StoreError> {
    let lock = FolderLock::acquire_file(&path.with_extension("lock"), |holder| {
        format!(
            "the database `{}` is in use by {holder}; one process at a time runs a service on it: stop that one, \
             give this one another folder, or use PostgreSQL (`--database-url`), which several processes can share",
            path.display()
        )
    })?;
    let options = Options { lock: Some(lock), ..Options::default() };
    let engine = Engine::open_with(path, &[], options).await?;
    let upgraded = engine.write(move |connection| bring_up_to_date(connection, &shapes, version)).await;
    if upgraded.is_err() {
        // The file is given back before anybody hears of the refusal.
        engine.close().await;
    }
    upgraded.map(|()| engine)
}

fn bring_up_to_date(connection: &Connection, shapes: &[Shape], known: Version) -> Result<(), StoreError> {
    connection.execute_batch(&version::create(Dialect::Sqlite)).map_err(store_error)?;
    let found = connection
        .query_row(version::SELECT, [], |row| Ok(Version { kit: row.get(0)?, service: row.get(1)? }))
        .optional()
        .map_err(store_error)?;
    if let Some(sql) = known.follow(found)? {
        connection.execute_batch(&sql).map_err(store_error)?;
    }
    connection.execute_batch(&table::own_tables(Dialect::Sqlite)).map_err(store_error)?;
    for shape in shapes {
        let existing: Vec<(String, String)> = connection
            .prepare(COLUMNS)
            .and_then(|mut asked| {
                asked.query_map([shape.name()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })
            .map_err(store_error)?;
        for sql in table::bring_up_to_date(Dialect::Sqlite, shape, &existing)? {
            connection.execute_batch(&sql).map_err(store_error)?;
        }
    }
    Ok(())
}

/// Asks one statement.
pub(super) fn rows(connection: &Connection, statement: &Statement) -> Result<Vec<Vec<Cell>>, StoreError> {
    let mut prepared = connection.prepare_cached(&statement.sql).map_err(store_error)?;
    let answer = prepared
        .query_map(params_from_iter(&statement.cells), |row| read(row, &statement.columns))
        .map_err(store_error)?;
    answer.collect::<Result<_, _>>().map_err(store_error)
}

/// Writes all statements; the caller's savepoint takes them back if one is refused.
pub(super) fn write(
    connection: &Connection,
    statements: &[Statement],
    uniques: &[Unique],
) -> Result<(), StoreError> {
    let fields: Vec<_> = uniques.iter().map(|unique| (unique.column.as_str(), unique.field)).collect();
    for statement in statements {
        let mut prepared = connection.prepare_cached(&statement.sql).map_err(store_error)?;
        let values = params_from_iter(&statement.cells);
        let touched = if statement.columns.is_empty() {
            prepared.execute(values).map_err(|error| unique(error, &fields))?
        } else {
            usize::from(prepared.exists(values).map_err(store_error)?)
        };
        match statement.expected {
            Expected::Any => {}
            Expected::One if touched == 1 => {}
            Expected::None(_) if touched == 0 => {}
            Expected::One => return Err(StoreError::Stale),
            Expected::None(what) => return Err(StoreError::Missing { what }),
        }
    }
    Ok(())
}

fn read(row: &Row<'_>, columns: &[Kind]) -> rusqlite::Result<Vec<Cell>> {
    columns
        .iter()
        .enumerate()
        .map(|(position, kind)| {
            if row.get_ref(position)? == ValueRef::Null {
                return Ok(Cell::Null(*kind));
            }
            Ok(match kind {
                Kind::Text | Kind::Json => Cell::Text(row.get(position)?),
                Kind::Uuid => {
                    let text: String = row.get(position)?;
                    let uuid = Uuid::parse_str(&text).map_err(|error| {
                        rusqlite::Error::FromSqlConversionFailure(
                            position,
                            rusqlite::types::Type::Text,
                            Box::new(error),
                        )
                    })?;
                    Cell::Uuid(uuid)
                }
                Kind::Integer | Kind::Instant => Cell::Integer(row.get(position)?),
                Kind::Number => Cell::Number(row.get(position)?),
                Kind::Boolean => Cell::Boolean(row.get(position)?),
            })
        })
        .collect()
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null(_) => ToSqlOutput::Owned(Sql::Null),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Uuid(uuid) => ToSqlOutput::Owned(Sql::Text(uuid.to_string())),
            Self::Integer(number) => ToSqlOutput::Owned(Sql::Integer(*number)),
            Self::Number(number) => ToSqlOutput::Owned(Sql::Real(*number)),
            Self::Boolean(boolean) => ToSqlOutput::Owned(Sql::Integer(i64::from(*boolean))),
        })
    }
}
