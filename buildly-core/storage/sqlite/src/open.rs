//! Opening a deployment's data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use buildly_model::{Random, StoreError, system::System};

use crate::engine::{Engine, FolderLock, Migration, Options};
use crate::node::Leases;
use crate::workflow::Takes;

/// The name of the core's file in the data folder.
pub const DATABASE_FILE: &str = "core.db";

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

/// A deployment's storage in one SQLite file; cheap to clone.
#[derive(Clone)]
pub struct Sqlite {
    pub(crate) engine: Engine,
    pub(crate) random: Arc<dyn Random>,
    /// The count of commits that the feed's follower has been told of.
    pub(crate) feed_seen: Arc<AtomicU64>,
    pub(crate) leases: Leases,
    pub(crate) takes: Takes,
}

impl Sqlite {
    /// Opens the data folder for this process alone; makes it if there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if another process has it (the sentence names it) or it
    /// cannot be written to, [`StoreError::Corrupt`] if its schema is newer than this program.
    pub async fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(folder, Options::default()).await
    }

    /// As [`Sqlite::open`], with options of the engine; the folder's lock is added to them.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub async fn open_with(folder: impl AsRef<Path>, options: Options) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        make_folder(folder)?;
        let options = Options { lock: Some(FolderLock::acquire(folder)?), ..options };
        Engine::open_with(folder.join(DATABASE_FILE), MIGRATIONS, options).await.map(Self::of)
    }

    /// Opens a data folder, or a copy of its file, for reading only: what `audit verify`
    /// needs. It takes no lock, changes nothing, and a server may be running on it.
    /// Every write is refused as unavailable.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be read, [`StoreError::Corrupt`] if it is no
    /// database of this program, or a newer one.
    pub async fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let file: PathBuf = if path.is_dir() { path.join(DATABASE_FILE) } else { path.to_owned() };
        Engine::open_read_only(file, MIGRATIONS).await.map(Self::of)
    }

    fn of(engine: Engine) -> Self {
        Self {
            engine,
            random: Arc::new(System),
            feed_seen: Arc::new(AtomicU64::new(0)),
            leases: Leases::default(),
            takes: Takes::default(),
        }
    }

    /// The engine below.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Copies the database as it is at one moment to the file `target`, while it is in use.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if `target` exists already or cannot be written.
    pub async fn backup(&self, target: impl Into<PathBuf>) -> Result<(), StoreError> {
        self.engine.backup(target).await
    }

    /// Finishes what is queued, closes the file and gives the folder back.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

/// What is in it concerns nobody else on the machine.
fn make_folder(folder: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| StoreError::Unavailable {
        reason: format!("the folder `{}` cannot be made: {error}", folder.display()),
        source: Some(Box::new(error)),
    })
}
