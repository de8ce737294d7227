//! A deployment with the threads that work for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use buildly_core::{Buildly, Settings};
use serde::Deserialize;
use tokio::runtime::{Builder, Handle, Runtime};
use uuid::Uuid;

use crate::asking::{Answered, Asked, ask};
use crate::failure::Failure;
use crate::function::{Function, FunctionService, authority};
use crate::operation;

/// How long closing waits for what is under way, and then for threads of functions.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
const THREADS_TIMEOUT: Duration = Duration::from_millis(500);
/// Functions that never return keep a thread each; this many services may have all of theirs so.
const FUNCTION_THREADS_MAX: usize = 64 * crate::function::CALLS_MAX;
const THREADS_MAX: usize = 64;

/// How a deployment is opened.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Opening {
    /// Under which URL the world reaches it, for links in mail.
    pub public_url: Option<String>,
    /// Whether it works for runs of workflows, or only starts and shows them.
    pub works_for_runs: bool,
    /// How many threads work for it, from 1 to 64.
    pub threads: usize,
}

impl Opening {
    /// Reads a JSON object of these.
    ///
    /// # Errors
    /// A [`Failure`] if it is none.
    pub fn from_json(text: &str) -> Result<Self, Failure> {
        crate::operation::read(text)
    }
}

impl Default for Opening {
    fn default() -> Self {
        Self { public_url: None, works_for_runs: true, threads: 2 }
    }
}

/// A deployment with the threads that work for it. Any number of threads may use it at once.
pub struct Deployment {
    /// Who opened it: threads do not survive a fork.
    process: u32,
    live: Mutex<Option<Live>>,
}

struct Live {
    buildly: Buildly,
    runtime: Runtime,
    /// The folder, where it goes away with the deployment.
    temporary: Option<Temporary>,
}

/// A folder that is removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("buildly-{}", Uuid::now_v7().simple()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let made = builder.create(&path);
        made.map_err(|error| Failure::unavailable(format!("`{}` cannot be made: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "a temporary folder could not be removed");
        }
    }
}

impl Deployment {
    /// Opens the data folder at `path`, making it if there is none; without a path, a temporary
    /// one that is gone once the deployment is closed.
    ///
    /// # Errors
    /// A [`Failure`] if the folder cannot be used, or belongs to another process.
    pub fn open(path: Option<&Path>, opening: Opening) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(opening.threads.clamp(1, THREADS_MAX))
            .max_blocking_threads(FUNCTION_THREADS_MAX)
            .thread_name("buildly")
            .enable_all()
            .build()
            .map_err(|error| Failure::unavailable(format!("threads cannot be started: {error}")))?;
        let temporary = if path.is_none() { Some(Temporary::new()?) } else { None };
        let folder = path.map(PathBuf::from).or_else(|| temporary.as_ref().map(|folder| folder.0.clone()));
        let folder = folder.ok_or_else(|| Failure::invalid("no folder was named"))?;
        let Opening { public_url, works_for_runs, threads: _ } = opening;
        let settings = Settings { public_url, works_for_runs, ..Settings::default() };
        let opening = async move { Ok(Buildly::builder().folder(folder).settings(settings).build().await?) };
        let buildly = wait(runtime.handle(), opening)?;
        Ok(Self { process: std::process::id(), live: Mutex::new(Some(Live { buildly, runtime, temporary })) })
    }

    fn find(&self) -> Result<(Buildly, Handle), Failure> {
        self.check_process()?;
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let live = live.as_ref().ok_or_else(Failure::closed)?;
        Ok((live.buildly.clone(), live.runtime.handle().clone()))
    }

    fn check_process(&self) -> Result<(), Failure> {
        if self.process == std::process::id() { Ok(()) } else { Err(Failure::forked(self.process)) }
    }

    fn take(&self) -> Option<Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Performs an operation; arguments and answer are JSON.
    ///
    /// # Errors
    /// A [`Failure`] of any class.
    pub fn call(&self, operation: &str, arguments: &str) -> Result<String, Failure> {
        let (buildly, runtime) = self.find()?;
        wait(&runtime, operation::perform(buildly, operation.to_owned(), arguments.to_owned()))
    }

    /// Sends a request through the gateway and reads the whole answer.
    ///
    /// # Errors
    /// A [`Failure`] if there is no answer; an answer of any status is one.
    pub fn request(&self, asked: Asked) -> Result<Answered, Failure> {
        let (buildly, runtime) = self.find()?;
        wait(&runtime, ask(buildly, asked))
    }

    /// Answers calls of the service `name` with a function, which `document` (OpenAPI, JSON)
    /// describes. A call that takes longer than `timeout` is answered with 504.
    ///
    /// # Errors
    /// A [`Failure`] if the name cannot be a service's.
    pub fn attach(
        &self,
        name: &str,
        document: String,
        timeout: Duration,
        function: Arc<dyn Function>,
    ) -> Result<(), Failure> {
        let (buildly, _) = self.find()?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || name.len() > 60 || !name.bytes().all(is_name) {
            return Err(Failure::field(
                "name",
                format!("expected at most 60 letters, digits, `-` and `_`, not `{name}`"),
            ));
        }
        let service = FunctionService::new(name.to_owned(), function, document, timeout);
        buildly.attach_service(&authority(name), Arc::new(service));
        Ok(())
    }

    /// Whether it is open, in this process.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.find().is_ok()
    }

    /// Ends all work; what was acknowledged is on disk. Closing again does nothing.
    ///
    /// # Errors
    /// A [`Failure`] in a process that was forked from the one that opened it.
    pub fn close(&self) -> Result<(), Failure> {
        self.check_process()?;
        if let Some(live) = self.take() {
            live.close();
        }
        Ok(())
    }
}

impl Live {
    fn close(self) {
        let Self { buildly, runtime, temporary } = self;
        let ending = buildly.clone();
        // Waited for as everything else is: whoever closes may be a thread of another runtime.
        let closed = wait(runtime.handle(), async move {
            Ok(tokio::time::timeout(CLOSE_TIMEOUT, ending.close()).await.is_ok())
        });
        if !matches!(closed, Ok(true)) {
            tracing::warn!("the time for an orderly end is over; what was acknowledged is on disk");
        }
        drop(buildly);
        // A function that never returns keeps its thread, and nobody waits for it. Apart from
        // this thread, which may be one of an async runtime's, where nobody may wait.
        let ended = std::thread::Builder::new()
            .name("buildly-close".to_owned())
            .spawn(move || runtime.shutdown_timeout(THREADS_TIMEOUT));
        if let Ok(ended) = ended {
            let _ = ended.join();
        }
        drop(temporary);
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let Some(live) = self.take() else { return };
        if self.process == std::process::id() {
            live.close();
        } else {
            // Its threads are the parent's: whoever waits for them here waits for ever.
            std::mem::forget(live);
        }
    }
}

/// Performs something on the runtime while this thread waits for it.
fn wait<T: Send + 'static>(
    runtime: &Handle,
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, receiver) = sync_channel(1);
    runtime.spawn(async move {
        // Nobody has gone: this thread waits below.
        let _ = sender.send(work.await);
    });
    // A task that is gone without an answer: the deployment was closed under it.
    receiver.recv().unwrap_or_else(|_| Err(Failure::closed()))
}
