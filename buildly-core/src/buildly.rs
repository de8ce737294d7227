//! The handle that applications hold.

use std::path::PathBuf;
use std::sync::Arc;

use buildly_auth::Auth;
use buildly_auth::token::{DeploymentKey, Settings, Signing};
use buildly_journal::{Commit as _, NodeId, Part};
use buildly_model::system::System;
use buildly_model::{Clock, Random, Revision, StoreError};
use buildly_unit::{Change, Storage};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::commits::Commits;
use crate::follower::Follower;
use crate::freshness::Freshness;
use crate::snapshot::{Hot, Snapshot};
use crate::{Error, Folder, Journal};

/// A running deployment, or one node of it; cheap to clone.
///
/// It runs on the host's tokio runtime. [`Buildly::close`] ends what it started.
#[derive(Clone)]
pub struct Buildly {
    inner: Arc<Inner>,
}

struct Inner {
    folder: Folder,
    journal: Journal,
    hot: Arc<Hot>,
    commits: Commits,
    auth: Auth,
    stop: watch::Sender<bool>,
    tasks: tokio::sync::Mutex<JoinSet<()>>,
}

/// Says how a deployment is opened.
#[derive(Default)]
pub struct Builder {
    folder: Option<PathBuf>,
    storage: Option<Arc<dyn Storage>>,
}

impl Builder {
    /// Where keys, mail and, without another storage, the database are kept.
    #[must_use]
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Some(path.into());
        self
    }

    /// Uses this storage instead of a SQLite file in the folder.
    #[must_use]
    pub fn storage(mut self, storage: impl Storage + 'static) -> Self {
        self.storage = Some(Arc::new(storage));
        self
    }

    /// Opens the deployment: when this returns, the snapshot is loaded.
    ///
    /// # Errors
    /// [`Error`] says what is missing.
    pub async fn build(self) -> Result<Buildly, Error> {
        let folder = self.folder.ok_or(Error::Setting {
            setting: "folder",
            reason: "name the data folder with `Builder::folder`".to_owned(),
        })?;
        let folder = Folder::create(folder)?;
        let storage = match self.storage {
            Some(storage) => storage,
            None => embedded_storage(&folder).await?,
        };
        Buildly::start(folder, storage).await
    }
}

#[cfg(feature = "sqlite")]
async fn embedded_storage(folder: &Folder) -> Result<Arc<dyn Storage>, Error> {
    Ok(Arc::new(buildly_storage_sqlite::Sqlite::open(folder.path()).await?))
}

#[cfg(not(feature = "sqlite"))]
async fn embedded_storage(_: &Folder) -> Result<Arc<dyn Storage>, Error> {
    Err(Error::Setting {
        setting: "storage",
        reason: "give one, or build with the feature `sqlite`".to_owned(),
    })
}

impl Buildly {
    /// Begins to say how a deployment is opened.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Opens the embedded default: one folder with one SQLite file.
    ///
    /// # Errors
    /// [`Error`] if the folder cannot be used or is in use by another process.
    pub async fn open(folder: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::builder().folder(folder).build().await
    }

    async fn start(folder: Folder, storage: Arc<dyn Storage>) -> Result<Self, Error> {
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(System), Arc::new(System));
        let node = NodeId(Uuid::now_v7());
        let (hot, wanted) = Hot::new();
        let (stop, stopped) = watch::channel(false);
        let reload = Arc::new(Notify::new());
        let (reloads, reloaded) = watch::channel(0);
        let freshness =
            Arc::new(Freshness::new(node, storage.clone(), hot.clone(), reload.clone(), reloaded));
        let commits = Commits { storage: storage.clone(), hot: hot.clone(), freshness: freshness.clone() };
        let follower = Follower {
            storage: storage.clone(),
            hot: hot.clone(),
            wanted,
            reload,
            reloads,
            stop: stopped.clone(),
        };

        freshness.join().await?;
        let position = follower.load().await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(follower.follow(position));
        tasks.spawn(freshness.keep(stopped));

        let deployment_key = DeploymentKey::from_bytes(folder.deployment_key(random.as_ref())?);
        let signing = Signing::new(deployment_key, Settings::default());
        let auth = Auth::new(buildly_auth::Parts {
            store: storage.clone(),
            commits: Arc::new(commits.clone()),
            snapshots: hot.clone(),
            clock,
            random,
            signing,
        });
        let journal = Journal::new(storage, folder.clone());
        let tasks = tokio::sync::Mutex::new(tasks);
        Ok(Self { inner: Arc::new(Inner { folder, journal, hot, commits, auth, stop, tasks }) })
    }

    /// Identity, tokens and permissions.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.inner.auth
    }

    /// The audit trail, and the proof that it holds.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.inner.folder
    }

    /// The snapshot now; take it once where a request enters.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.hot.load()
    }

    /// Writes parts of several areas together or not at all.
    ///
    /// # Errors
    /// As [`buildly_journal::Commit::commit_all`].
    pub async fn atomically(&self, parts: Vec<Part<Change>>) -> Result<Revision, StoreError> {
        self.inner.commits.commit_all(parts).await
    }

    /// Copies the whole state as it is at one moment to a new file, while it is in use.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file exists or cannot be written, or if the storage
    /// has a better way of its own, which the sentence names.
    pub async fn backup(&self, target: impl Into<PathBuf>) -> Result<(), StoreError> {
        self.inner.commits.storage.backup(target.into()).await
    }

    /// Ends the tasks of this handle and its clones; what was acknowledged is on disk.
    pub async fn close(&self) {
        self.inner.stop.send_replace(true);
        let mut tasks = self.inner.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
    }
}
