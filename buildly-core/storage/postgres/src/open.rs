//! Opening a deployment's schema.

use std::sync::{Arc, Mutex, PoisonError};

use buildly_model::{StoreError, system::System};
use sqlx::{PgPool, Row as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::commit::{self, Message};
use crate::engine::{Engine, Migration, store_error};
use crate::wake::{self, Wake};
use crate::workflow::Turn;

/// The schema of a deployment, when nobody names one.
pub const SCHEMA_DEFAULT: &str = "buildly";

const MIGRATIONS: &[Migration] = &[
    Migration::new(1, "journal", include_str!("../migrations/0001_journal.sql")),
    Migration::new(2, "identity", include_str!("../migrations/0002_identity.sql")),
    Migration::new(3, "token", include_str!("../migrations/0003_token.sql")),
    Migration::new(4, "gateway", include_str!("../migrations/0004_gateway.sql")),
    Migration::new(5, "mesh", include_str!("../migrations/0005_mesh.sql")),
    Migration::new(6, "workflow", include_str!("../migrations/0006_workflow.sql")),
    Migration::new(7, "levels", include_str!("../migrations/0007_levels.sql")),
    Migration::new(8, "extension", include_str!("../migrations/0008_extension.sql")),
    Migration::new(9, "outside_identity", include_str!("../migrations/0009_outside_identity.sql")),
];

/// A deployment's storage in a schema of a PostgreSQL database; cheap to clone.
#[derive(Clone)]
pub struct Postgres {
    pub(crate) engine: Engine,
    /// What follows, keeps leases, tells and listens; no request waits for it, nor it for one.
    pub(crate) apart: Engine,
    pub(crate) shared: Arc<Shared>,
}

/// What runs beside the pool.
pub(crate) struct Shared {
    pub(crate) units: mpsc::Sender<Message>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) turn: Turn,
    committer: Mutex<Option<JoinHandle<()>>>,
    /// Telling and listening; they hold nothing that has to be finished.
    followers: Vec<JoinHandle<()>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.followers.iter().for_each(JoinHandle::abort);
    }
}

impl Postgres {
    /// Connects to the deployment in the schema [`SCHEMA_DEFAULT`]; makes it if there is none.
    /// Its tasks run on the runtime of the caller.
    ///
    /// # Errors
    /// As [`Engine::connect`].
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_in(url, SCHEMA_DEFAULT).await
    }

    /// As [`Postgres::connect`], in a schema of another name.
    ///
    /// # Errors
    /// As [`Engine::connect`].
    pub async fn connect_in(url: &str, schema: &str) -> Result<Self, StoreError> {
        let engine = Engine::connect(url, schema, MIGRATIONS).await?;
        put_restored_events_first(engine.pool()).await?;
        let (units, queue) = mpsc::channel(commit::QUEUE_LENGTH_MAX);
        let apart = engine.apart();
        let wake = Arc::new(Wake::new(&System));
        let committer = commit::Batches::new(engine.clone(), Arc::new(System), Arc::clone(&wake));
        let shared = Shared {
            units,
            committer: Mutex::new(Some(tokio::spawn(committer.run(queue)))),
            followers: vec![
                tokio::spawn(wake::tell(apart.clone(), Arc::clone(&wake))),
                tokio::spawn(wake::listen(apart.clone(), Arc::clone(&wake))),
            ],
            wake,
            turn: Turn::default(),
        };
        Ok(Self { engine, apart, shared: Arc::new(shared) })
    }

    /// Connects for reading only: what `audit verify` needs. Nothing is made, migrated or leased,
    /// and nodes may be running on it. Every write is refused as unavailable.
    ///
    /// # Errors
    /// As [`Engine::connect_read_only`].
    pub async fn open_read_only(url: &str, schema: &str) -> Result<Self, StoreError> {
        let engine = Engine::connect_read_only(url, schema, MIGRATIONS).await?;
        // Nobody is at the other end, which is what refuses writes.
        let (units, _) = mpsc::channel(1);
        let shared = Shared {
            units,
            wake: Arc::new(Wake::new(&System)),
            turn: Turn::default(),
            committer: Mutex::new(None),
            followers: Vec::new(),
        };
        Ok(Self { apart: engine.clone(), engine, shared: Arc::new(shared) })
    }

    /// Drops a schema with everything in it, for whoever starts over.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be reached or the name is none of a schema.
    pub async fn drop_schema(url: &str, schema: &str) -> Result<(), StoreError> {
        Engine::drop_schema(url, schema).await
    }

    /// Whether the database has a schema of this name.
    ///
    /// # Errors
    /// As [`Postgres::drop_schema`].
    pub async fn schema_exists(url: &str, schema: &str) -> Result<bool, StoreError> {
        Engine::schema_exists(url, schema).await
    }

    /// The engine below.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Finishes what is queued and closes all connections.
    pub async fn close(&self) {
        // A queue that takes nothing more is closed already.
        drop(self.shared.units.send(Message::Close).await);
        let committer = {
            let mut committer = self.shared.committer.lock().unwrap_or_else(PoisonError::into_inner);
            committer.take()
        };
        if let Some(committer) = committer
            && let Err(error) = committer.await
        {
            tracing::error!(error = %error, "the task that writes ended by a panic");
        }
        self.shared.followers.iter().for_each(JoinHandle::abort);
        self.apart.close().await;
        self.engine.close().await;
    }
}

/// A dump that was restored into a new cluster brings transaction ids that this one has not
/// reached; followers would wait for them for ever. No follower remembers them either.
const RESTORED: &str = "
    UPDATE journal SET transaction_id = '0'
    WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot())";
const ANY_RESTORED: &str = "
    SELECT EXISTS (SELECT 1 FROM journal WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot()))";

async fn put_restored_events_first(pool: &PgPool) -> Result<(), StoreError> {
    let row = sqlx::query(ANY_RESTORED).fetch_one(pool).await.map_err(store_error)?;
    if row.try_get(0).map_err(store_error)? {
        let moved = sqlx::query(RESTORED).execute(pool).await.map_err(store_error)?.rows_affected();
        tracing::warn!(events = moved, "the journal was restored from another cluster");
    }
    Ok(())
}
