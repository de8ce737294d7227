//! A deployment with the threads that work for it.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use buildly_core::Buildly;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::asking::{self, Answer, Answered, Asked, BodyMax};
use crate::failure::Failure;
use crate::function::{Function, FunctionService, authority};
use crate::opening::{Opening, Temporary};
use crate::operation;
use crate::work::Work;

/// How long closing waits for what is under way, and then for threads of functions.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
const THREADS_TIMEOUT: Duration = Duration::from_millis(500);
/// Functions that never return keep a thread each; this many services may have all of theirs so.
const FUNCTION_THREADS_MAX: usize = 64 * crate::function::CALLS_MAX;
const THREADS_MAX: usize = 64;

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

impl Deployment {
    /// Opens the data folder at `path`, making it if there is none; without a path, a temporary
    /// one that is gone once the deployment is closed.
    ///
    /// # Errors
    /// A [`Failure`] if the folder cannot be used, or belongs to another process.
    pub fn open(path: Option<&Path>, opening: Opening) -> Result<Self, Failure> {
        let Ok(opened) = Self::open_unless(path, opening, || Ok::<(), Infallible>(()));
        opened
    }

    /// As [`Self::open`], but asks ten times a second whether to go on.
    ///
    /// # Errors
    /// What `interrupted` says.
    pub fn open_unless<E>(
        path: Option<&Path>,
        opening: Opening,
        interrupted: impl FnMut() -> Result<(), E>,
    ) -> Result<Result<Self, Failure>, E> {
        let begun = match Begun::new(path, &opening) {
            Ok(begun) => begun,
            Err(failure) => return Ok(Err(failure)),
        };
        let Begun { runtime, temporary, folder } = begun;
        let opened = Work::new(runtime.handle(), opening.open(folder)).wait_unless(interrupted);
        let buildly = match opened {
            Ok(Ok(buildly)) => buildly,
            Ok(Err(failure)) => {
                end(runtime);
                return Ok(Err(failure));
            }
            Err(interrupt) => {
                end(runtime);
                return Err(interrupt);
            }
        };
        let live = Live { buildly, runtime, temporary };
        Ok(Ok(Self { process: std::process::id(), live: Mutex::new(Some(live)) }))
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
    /// A [`Failure`] if the deployment is not open; the work's own is one of any class.
    pub fn call(&self, operation: String, arguments: String) -> Result<Work<String>, Failure> {
        let (buildly, runtime) = self.find()?;
        Ok(Work::new(&runtime, operation::perform(buildly, operation, arguments)))
    }

    /// Sends a request through the gateway and reads the whole answer, of any status.
    ///
    /// # Errors
    /// A [`Failure`] if the deployment is not open; the work's own says why there is no answer.
    pub fn request(&self, asked: Asked, most: BodyMax) -> Result<Work<Answered>, Failure> {
        let (buildly, runtime) = self.find()?;
        Ok(Work::new(&runtime, asking::ask(buildly, asked, most)))
    }

    /// Sends a request through the gateway; the body of the answer is read as it comes.
    ///
    /// # Errors
    /// As [`Self::request`].
    pub fn stream(&self, asked: Asked) -> Result<Work<Answer>, Failure> {
        let (buildly, runtime) = self.find()?;
        Ok(Work::new(&runtime, asking::begin(buildly, asked, runtime.clone())))
    }

    /// Answers calls of the service `name` with a function, which `document` (OpenAPI, JSON)
    /// describes; gives the URL that it is registered by. A call that takes longer than `timeout`
    /// is answered with 504; without one, the gateway says how long a service has.
    ///
    /// # Errors
    /// A [`Failure`] if the name cannot be a service's, or the document is no JSON object.
    pub fn attach(
        &self,
        name: &str,
        document: String,
        timeout: Option<Duration>,
        function: Arc<dyn Function>,
    ) -> Result<String, Failure> {
        let (buildly, _) = self.find()?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || name.len() > 60 || !name.bytes().all(is_name) {
            return Err(Failure::field(
                "name",
                format!("expected at most 60 letters, digits, `-` and `_`, not `{name}`"),
            ));
        }
        if let Err(error) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&document) {
            let expected = format!("expected an OpenAPI document, a JSON object: {error}");
            return Err(Failure::field("document", expected));
        }
        let (service, authority) =
            (FunctionService::new(name.to_owned(), function, document, timeout), authority(name));
        buildly.attach_service(&authority, Arc::new(service));
        Ok(format!("http://{authority}"))
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

/// What is there before a deployment is open.
struct Begun {
    runtime: Runtime,
    temporary: Option<Temporary>,
    folder: PathBuf,
}

impl Begun {
    fn new(path: Option<&Path>, opening: &Opening) -> Result<Self, Failure> {
        opening.check(path)?;
        let (folder, temporary) = match path {
            Some(path) => (path.to_owned(), None),
            None => {
                let made = Temporary::new()?;
                (made.0.clone(), Some(made))
            }
        };
        let runtime = Builder::new_multi_thread()
            .worker_threads(opening.threads.clamp(1, THREADS_MAX))
            .max_blocking_threads(FUNCTION_THREADS_MAX)
            .thread_name("buildly")
            .enable_all()
            .build()
            .map_err(|error| Failure::unavailable(format!("threads cannot be started: {error}")))?;
        Ok(Self { runtime, temporary, folder })
    }
}

impl Live {
    fn close(self) {
        let Self { buildly, runtime, temporary } = self;
        let ending = buildly.clone();
        // Waited for as everything else is: whoever closes may be a thread of another runtime.
        let closed = Work::new(runtime.handle(), async move {
            Ok(tokio::time::timeout(CLOSE_TIMEOUT, ending.close()).await.is_ok())
        });
        if !matches!(closed.wait(), Ok(true)) {
            tracing::warn!("the time for an orderly end is over; what was acknowledged is on disk");
        }
        drop(buildly);
        end(runtime);
        drop(temporary);
    }
}

/// Ends the threads. A function that never returns keeps its own, and nobody waits for it.
fn end(runtime: Runtime) {
    // Apart from this thread, which may be one of an async runtime's, where nobody may wait.
    let ended = std::thread::Builder::new()
        .name("buildly-close".to_owned())
        .spawn(move || runtime.shutdown_timeout(THREADS_TIMEOUT));
    if let Ok(ended) = ended {
        let _ = ended.join();
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
