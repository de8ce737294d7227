//! The SQLite engine: one writer thread with group commit, a pool of readers, migrations.
//!
//! It knows no table of the core: the services' kit opens its own files with it. Waiting
//! writes are taken together, each runs in a savepoint of its own, one COMMIT with
//! `synchronous=FULL` makes them durable, and only then is anybody answered.

mod backup;
mod connection;
mod error;
mod job;
mod lock;
mod migration;
mod readers;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use buildly_model::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

pub use error::{store_error, unique};
use job::{Message, Work};
pub use lock::FolderLock;
pub use migration::Migration;

/// How many threads read at the same time, when nobody says a number.
pub const READERS_DEFAULT: usize = 4;
/// How many reads wait for a reader; more callers wait until there is room.
pub const READ_QUEUE_LENGTH_MAX: usize = 1024;
/// How many writes wait for the writer; more callers wait until there is room.
pub const WRITE_QUEUE_LENGTH_MAX: usize = 4096;

/// What may be set when a file is opened.
#[derive(Debug)]
pub struct Options {
    /// How many threads read at the same time.
    pub readers: usize,
    /// The most pages (of 4096 bytes) that the file may have; a write beyond is refused as
    /// on a full disk. `None`: as many as fit on the disk.
    pub pages_max: Option<u32>,
    /// The lock of the folder; it is held until the writer has ended.
    pub lock: Option<FolderLock>,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: READERS_DEFAULT, pages_max: None, lock: None }
    }
}

/// A database file that is open; cheap to clone. Dropping the last clone ends its threads
/// after what is queued; [`Engine::close`] also waits for them.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    /// `None` if the file was opened for reading only.
    writes: Option<mpsc::Sender<Message>>,
    reads: mpsc::Sender<Message>,
    commits: watch::Receiver<u64>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Opens the file, makes it if there is none, and brings its schema up to `migrations`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be opened or a migration cannot be written,
    /// [`StoreError::Corrupt`] if it is no database or its schema is newer than `migrations`.
    pub async fn open(path: impl Into<PathBuf>, migrations: &[Migration]) -> Result<Self, StoreError> {
        Self::open_with(path, migrations, Options::default()).await
    }

    /// As [`Engine::open`], with options.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub async fn open_with(
        path: impl Into<PathBuf>,
        migrations: &[Migration],
        options: Options,
    ) -> Result<Self, StoreError> {
        let path = path.into();
        let (writes, queue) = mpsc::channel(WRITE_QUEUE_LENGTH_MAX);
        let (signal, commits) = watch::channel(0);
        let (opened, wait) = oneshot::channel();
        let migrations = migrations.to_vec();
        let file = path.clone();
        let writer = spawn("sqlite writer", move || {
            let Options { readers, pages_max, lock } = options;
            let prepared =
                connection::open_writer(&file, pages_max).map_err(store_error).and_then(|mut writer| {
                    migration::run(&mut writer, &migrations)?;
                    Ok((writer, readers::start(&file, readers, connection::open_reader)?))
                });
            match prepared {
                Ok((writer, readers)) => {
                    if opened.send(Ok(readers)).is_ok() {
                        writer::run(writer, queue, &signal);
                    }
                }
                Err(error) => drop(opened.send(Err(error))),
            }
            drop(lock);
        })?;
        let readers = wait.await.map_err(|_| closed())??;
        Ok(Self::assemble(path, Some(writes), readers, commits, Some(writer)))
    }

    /// Opens a file for reading only; nothing in it changes, not even its schema. A file
    /// that another process writes to may be opened.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it cannot be opened, [`StoreError::Corrupt`] if it is
    /// no database or its schema is newer than `migrations`.
    pub async fn open_read_only(
        path: impl Into<PathBuf>,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        let path = path.into();
        let migrations = migrations.to_vec();
        let file = path.clone();
        let (opened, wait) = oneshot::channel();
        let opener = spawn("sqlite opener", move || {
            let readers = connection::open_read_only(&file).map_err(store_error).and_then(|connection| {
                migration::check(&connection, &migrations)?;
                readers::start(&file, 1, connection::open_read_only)
            });
            drop(opened.send(readers));
        })?;
        let readers = wait.await.map_err(|_| closed())??;
        let (_, commits) = watch::channel(0);
        Ok(Self::assemble(path, None, readers, commits, Some(opener)))
    }

    fn assemble(
        path: PathBuf,
        writes: Option<mpsc::Sender<Message>>,
        readers: readers::Started,
        commits: watch::Receiver<u64>,
        thread: Option<JoinHandle<()>>,
    ) -> Self {
        let threads = Mutex::new(readers.threads.into_iter().chain(thread).collect());
        Self { shared: Arc::new(Shared { path, writes, reads: readers.queue, commits, threads }) }
    }

    /// Runs `work` on the writer thread in a savepoint of its own; returns once the batch it
    /// went into is on disk. An error rolls back this savepoint only.
    ///
    /// `work` must not begin or end transactions. Foreign keys are checked by each statement;
    /// do not declare them deferred, since then one write could refuse the whole batch.
    ///
    /// # Errors
    /// What `work` returned, [`StoreError::Corrupt`] if it panicked, or
    /// [`StoreError::Unavailable`] if the batch could not be committed.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let queue =
            self.shared.writes.as_ref().ok_or_else(|| unavailable("it was opened for reading only"))?;
        run(queue, work).await
    }

    /// Runs `work` on a reader's thread, in one read transaction.
    ///
    /// # Errors
    /// What `work` returned, [`StoreError::Corrupt`] if it panicked, or
    /// [`StoreError::Unavailable`].
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        run(&self.shared.reads, work).await
    }

    /// Copies the file as it is at one moment to `target`, while it is read and written.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if `target` exists already or cannot be written.
    pub async fn backup(&self, target: impl Into<PathBuf>) -> Result<(), StoreError> {
        let (source, target) = (self.shared.path.clone(), target.into());
        let (answer, copied) = oneshot::channel();
        let thread = spawn("sqlite backup", move || drop(answer.send(backup::copy(&source, &target))))?;
        let result = copied.await.map_err(|_| closed())?;
        drop(thread);
        result
    }

    /// How many batches have been committed since the file was opened, to be waited on.
    #[must_use]
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.shared.commits.clone()
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Finishes what is queued, closes the file and waits until its threads have ended.
    /// Later calls are refused as unavailable.
    pub async fn close(&self) {
        for queue in self.shared.writes.iter().chain([&self.shared.reads]) {
            // A queue that takes nothing more is closed already.
            drop(queue.send(Message::Close).await);
        }
        let threads = {
            let mut threads = self.shared.threads.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *threads)
        };
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().filter_map(|thread| thread.join().err()).count()
        });
        if joined.await.unwrap_or(1) > 0 {
            tracing::error!("a storage thread ended by a panic");
        }
    }
}

async fn run<T: Send + 'static>(
    queue: &mpsc::Sender<Message>,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (answer, answered) = oneshot::channel();
    queue.send(Message::Job(Box::new(Work::new(work, answer)))).await.map_err(|_| closed())?;
    answered.await.map_err(|_| closed())?
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(StoreError::unavailable)
}

fn closed() -> StoreError {
    unavailable("it has been closed")
}

fn unavailable(reason: impl Into<String>) -> StoreError {
    StoreError::Unavailable { reason: reason.into(), source: None }
}
