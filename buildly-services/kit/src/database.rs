//! The service's own database: a SQLite file, or a schema of a PostgreSQL database.
//!
//! Two things are done with it: a statement is asked, or several are written together or not
//! at all. What a write relies on is said with each statement ([`Expected`]), so that what was
//! decided from a read is refused as stale when it no longer holds.

mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;

use buildly_model::StoreError;

use crate::shape::{Shape, Unique};
use crate::statement::{Dialect, Statement};
use crate::value::Cell;
use crate::version::Version;

/// Where a service keeps its records.
#[derive(Debug, Clone)]
pub enum DatabaseAddress {
    /// A SQLite file; it is made if there is none. One process has it at a time: the file of
    /// the same name that ends in `.lock` names it.
    File(PathBuf),
    /// A schema of a PostgreSQL database; it is made if there is none.
    Postgres {
        /// `postgres://user:password@host/database`.
        url: String,
        /// The schema, one for each service.
        schema: String,
    },
}

/// An open database; cheap to clone.
#[derive(Clone)]
pub(crate) struct Database {
    engine: Engine,
    uniques: Arc<[Unique]>,
}

#[derive(Clone)]
enum Engine {
    Sqlite(buildly_storage_sqlite::engine::Engine),
    Postgres(sqlx::PgPool),
}

impl Database {
    /// Opens the database and brings its tables up to `shapes`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be opened or another process has the file,
    /// [`StoreError::Corrupt`] if its tables do not fit the record types, or are of a newer
    /// version.
    pub(crate) async fn open(
        address: &DatabaseAddress,
        shapes: &[Shape],
        version: Version,
    ) -> Result<Self, StoreError> {
        let own = Unique {
            index: "idempotency_pkey".to_owned(),
            column: "idempotency.key".to_owned(),
            field: crate::idempotency::FIELD,
        };
        let begun = Unique {
            index: "beginning_pkey".to_owned(),
            column: "beginning.record_type".to_owned(),
            field: crate::records::BEGUN,
        };
        let uniques = shapes.iter().flat_map(Shape::uniques).chain([own, begun]).collect();
        let engine = match address {
            DatabaseAddress::File(path) => {
                Engine::Sqlite(sqlite::open(path, shapes.to_vec(), version).await?)
            }
            DatabaseAddress::Postgres { url, schema } => {
                Engine::Postgres(postgres::open((url, schema), shapes, version).await?)
            }
        };
        Ok(Self { engine, uniques })
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Asks one statement.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], or [`StoreError::Corrupt`] if a column is of another kind.
    pub(crate) async fn rows(&self, statement: Statement) -> Result<Vec<Vec<Cell>>, StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => {
                engine.read(move |connection| sqlite::rows(connection, &statement)).await
            }
            Engine::Postgres(pool) => postgres::rows(pool, &statement).await,
        }
    }

    /// Writes all statements, or none.
    ///
    /// # Errors
    /// [`StoreError::Stale`] or [`StoreError::Missing`] if a statement did not touch the rows it
    /// was expected to, [`StoreError::Taken`] with the field of a unique rule,
    /// [`StoreError::Unavailable`].
    pub(crate) async fn write(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        match &self.engine {
            Engine::Sqlite(engine) => {
                let uniques = Arc::clone(&self.uniques);
                engine.write(move |connection| sqlite::write(connection, &statements, &uniques)).await
            }
            Engine::Postgres(pool) => postgres::write(pool, &statements, &self.uniques).await,
        }
    }

    /// Ends what is queued and closes the file or the connections.
    pub(crate) async fn close(&self) {
        match &self.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(pool) => pool.close().await,
        }
    }
}
