//! The databases themselves: one row a transaction, made durable as ours are.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;

use crate::commits::Commits;
use crate::{Failure, settings};

const TABLE: &str = "CREATE TABLE bench_row (id TEXT PRIMARY KEY, body TEXT NOT NULL)";
const BODY: &str =
    "a row about as long as the one that ours writes, with a mail address in it and such things";

/// SQLite by `rusqlite`: one connection, which all callers wait for.
pub struct BareSqlite {
    folder: PathBuf,
    connection: Arc<Mutex<Connection>>,
}

impl BareSqlite {
    /// What is measured.
    pub const NAME: &str = "SQLite 3.51 itself, one INSERT a transaction, WAL, synchronous=FULL";

    /// Opens a new file.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn open() -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("buildly-bench-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder)?;
        let connection = Connection::open(folder.join("bare.db")).map_err(Failure::http)?;
        connection
            .execute_batch(&format!("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {TABLE}"))
            .map_err(Failure::http)?;
        Ok(Self { folder, connection: Arc::new(Mutex::new(connection)) })
    }
}

#[async_trait]
impl Commits for BareSqlite {
    async fn commit(&self) -> Result<(), Failure> {
        let connection = Arc::clone(&self.connection);
        let written = tokio::task::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let mut insert = connection.prepare_cached("INSERT INTO bench_row VALUES (?1, ?2)")?;
            insert.execute([uuid::Uuid::now_v7().to_string().as_str(), BODY])
        });
        written.await.map_err(Failure::http)?.map(drop).map_err(Failure::http)
    }
}

impl Drop for BareSqlite {
    fn drop(&mut self) {
        // What is left is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// PostgreSQL by `sqlx`: a connection for each caller.
pub struct BarePostgres {
    pool: sqlx::PgPool,
    schema: String,
}

impl BarePostgres {
    /// What is measured.
    pub const NAME: &str = "PostgreSQL itself, one INSERT a transaction, as the server is set";

    /// Makes a schema of its own.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn open(connections: u32) -> Result<Self, Failure> {
        let schema = format!("bench_{}", uuid::Uuid::now_v7().simple());
        let options = settings::postgres_url().parse::<sqlx::postgres::PgConnectOptions>();
        let options = options.map_err(Failure::http)?.options([("search_path", schema.as_str())]);
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(connections);
        let pool = pool.connect_with(options).await.map_err(Failure::http)?;
        let make = format!("CREATE SCHEMA \"{schema}\"; {TABLE}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&pool).await.map_err(Failure::http)?;
        Ok(Self { pool, schema })
    }

    /// Takes the schema away.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn remove(&self) -> Result<(), Failure> {
        let drop_it = format!("DROP SCHEMA \"{}\" CASCADE", self.schema);
        let dropped = sqlx::raw_sql(sqlx::AssertSqlSafe(drop_it)).execute(&self.pool).await;
        dropped.map(drop).map_err(Failure::http)
    }
}

#[async_trait]
impl Commits for BarePostgres {
    async fn commit(&self) -> Result<(), Failure> {
        let insert = sqlx::query("INSERT INTO bench_row VALUES ($1, $2)");
        let insert = insert.bind(uuid::Uuid::now_v7().to_string()).bind(BODY);
        insert.execute(&self.pool).await.map(drop).map_err(Failure::http)
    }
}
