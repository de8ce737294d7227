//! The PostgreSQL engine: a pool in one schema of a database, and migrations.
//!
//! It knows no table of the core: the services' kit opens schemas of its own with it.

mod error;
mod migration;
mod schema;
mod time;

use std::str::FromStr as _;
use std::time::Duration;

use buildly_model::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};

pub(crate) use error::{Trouble, trouble};
pub use error::{store_error, unique};
pub use migration::Migration;
use schema::Schema;
pub(crate) use time::{ask, in_time, within};

/// The most connections of the pool.
pub const CONNECTIONS_MAX: u32 = 10;
/// The most connections of a pool [apart](Engine::apart): the follower, the keeper of the lease
/// and who tells have one each, and two are being given up.
const CONNECTIONS_APART_MAX: u32 = 5;
/// How long a caller waits for a connection, or a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is tried before it is handed out.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);
/// How long a connection that is tried may take to answer before it is given up.
const TRY_TIMEOUT: Duration = Duration::from_secs(1);
/// An unused connection is closed after this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// How long closing waits for connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 256;
/// Settings of every connection: nothing waits for ever. The server notices within some 20 s
/// that a client is gone that vanished without a word, and lets go of its locks.
const SETTINGS: [(&str, &str); 7] = [
    ("statement_timeout", "30s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "20s"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "20s"),
];

/// Settings of who looks rows up by their keys only.
const BY_KEY: [(&str, &str); 4] =
    [("enable_seqscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off")];

/// A schema of a database that is open; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pool: PgPool,
    options: PgConnectOptions,
    schema: Schema,
}

impl Engine {
    /// Connects, makes the schema if there is none, and brings it up to `migrations`.
    ///
    /// The URL is `postgres://user:password@host:port/database`; `?sslmode=verify-full`
    /// demands TLS with a checked certificate, `disable` none (default: TLS if the server has it).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer or the URL or the
    /// schema's name is none, [`StoreError::Corrupt`] if the schema is newer than `migrations`.
    pub async fn connect(url: &str, schema: &str, migrations: &[Migration]) -> Result<Self, StoreError> {
        let engine = Self::prepare(url, schema, &[])?;
        let mut connection = engine.connect_alone().await?;
        migration::run(&mut connection, &engine.schema, migrations).await?;
        connection.close().await.map_err(store_error)?;
        Ok(engine)
    }

    /// Connects to a schema that is there, for reading only; nothing in it changes, not even
    /// its migrations, and the database refuses every write.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer, or has no such schema,
    /// [`StoreError::Corrupt`] if the schema is another program's or newer than `migrations`.
    pub async fn connect_read_only(
        url: &str,
        schema: &str,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        let engine = Self::prepare(url, schema, &[("default_transaction_read_only", "on")])?;
        let mut connection = engine.connect_alone().await?;
        migration::check(&mut connection, &engine.schema, migrations).await?;
        connection.close().await.map_err(store_error)?;
        Ok(engine)
    }

    /// A pool that has connected to nothing yet.
    fn prepare(url: &str, schema: &str, more: &[(&str, &str)]) -> Result<Self, StoreError> {
        let schema = Schema::parse(schema)?;
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| unavailable(format!("the database URL cannot be read: {error}")))?
            .application_name(&format!("buildly {}", schema.name()))
            .statement_cache_capacity(STATEMENTS_MAX)
            .options([("search_path", schema.name())])
            .options(SETTINGS)
            .options(more.iter().copied())
            .disable_statement_logging();
        let pool = pool(&options, CONNECTIONS_MAX);
        Ok(Self { pool, options, schema })
    }

    /// Drops a schema with everything in it, if it is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer, or the URL or the name is none.
    pub async fn drop_schema(url: &str, schema: &str) -> Result<(), StoreError> {
        let schema = Schema::parse(schema)?;
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| unavailable(format!("the database URL cannot be read: {error}")))?;
        let mut connection = options.connect().await.map_err(store_error)?;
        // The name was parsed into letters, digits and `_`.
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", schema.name());
        sqlx::query(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await.map_err(store_error)?;
        connection.close().await.map_err(store_error)
    }

    /// Whether the database has this schema.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer, or the URL or the name is none.
    pub async fn schema_exists(url: &str, schema: &str) -> Result<bool, StoreError> {
        let schema = Schema::parse(schema)?;
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| unavailable(format!("the database URL cannot be read: {error}")))?;
        let mut connection = options.connect().await.map_err(store_error)?;
        let exists = migration::has_schema(&mut connection, &schema).await?;
        connection.close().await.map_err(store_error)?;
        Ok(exists)
    }

    /// The pool; every connection has the schema as its search path.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The same schema over connections of its own, for what may not wait behind requests.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { pool: pool(&self.options, CONNECTIONS_APART_MAX), ..self.clone() }
    }

    /// The name of the schema.
    #[must_use]
    pub fn schema(&self) -> &str {
        self.schema.name()
    }

    /// A connection of its own for who writes units: it looks rows up by their keys, and nothing
    /// else. A plan that was made while a table was empty reads all of it later, and is kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer in time.
    pub(crate) async fn connect_to_write(&self) -> Result<PgConnection, StoreError> {
        connect(&self.options.clone().options(BY_KEY)).await
    }

    /// A connection of its own, outside the pool.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer in time.
    pub async fn connect_alone(&self) -> Result<PgConnection, StoreError> {
        connect(&self.options).await
    }

    /// A pool of one connection, for whoever listens: a connection that hangs is not given back
    /// when its listener goes, so it must not take the place of another.
    pub(crate) fn listening(&self) -> PgPool {
        pool(&self.options, 1)
    }

    /// Closes the pool, once what is under way has ended; connections that hang are left alone.
    pub async fn close(&self) {
        if tokio::time::timeout(CLOSE_TIMEOUT, self.pool.close()).await.is_err() {
            tracing::warn!("connections to the database hang, and are left");
        }
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(connected) => connected.map_err(store_error),
        Err(_) => Err(unavailable("the database did not answer in time")),
    }
}

/// A pool that has connected to nothing yet.
fn pool(options: &PgConnectOptions, connections_max: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(CONNECT_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, idle| {
            Box::pin(async move {
                // After a restart of the database the idle connections are dead.
                if idle.idle_for < TRUSTED_IDLE { Ok(true) } else { answers(connection).await }
            })
        })
        // Who gave up waiting may have left a connection that hangs; it is not kept.
        .after_release(|connection, _| Box::pin(answers(connection)))
        .connect_lazy_with(options.clone())
}

/// Whether the connection answers; an error if it does not do so in time, so that it is closed
/// without another word.
async fn answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(TRY_TIMEOUT, connection.ping()).await {
        Ok(answered) => Ok(answered.is_ok()),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

pub(crate) fn unavailable(reason: impl Into<String>) -> StoreError {
    StoreError::Unavailable { reason: reason.into(), source: None }
}
