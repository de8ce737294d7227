//! Asking the running server, or doing the task on the files when none runs.

use std::io;
use std::path::{Path, PathBuf};

use buildly_core::Buildly;
use buildly_model::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use super::{PATH, Task, perform, read_only, socket};
use crate::StartError;
use crate::configuration::Configuration;
use crate::deployment::open_for_command;

const ANSWER_BYTES_MAX: usize = 100_000_000;

/// Why a task was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The deployment cannot be opened.
    #[error(transparent)]
    Open(#[from] StartError),
    /// There is nothing that could be read.
    #[error(
        "there is no data in `{}`: `buildly serve` and `buildly admin create` make it; \
         to look elsewhere, say `--data-dir FOLDER` or `--database-url postgres://…`",
        folder.display()
    )]
    Nothing {
        /// Where.
        folder: PathBuf,
    },
    /// The task was refused; a sentence says why.
    #[error("{detail}")]
    Refused {
        /// The sentence.
        detail: String,
    },
    /// The server that ran when the command began does not answer any more.
    #[error(
        "the server on `{}` has stopped meanwhile; start it with `buildly serve` and ask again",
        folder.display()
    )]
    Gone {
        /// The folder that it ran on.
        folder: PathBuf,
    },
    /// The running server did not answer as it should.
    #[error("the running server gave no valid answer: {reason}")]
    BadAnswer {
        /// What was wrong.
        reason: String,
    },
}

impl AskError {
    fn bad(error: impl std::fmt::Display) -> Self {
        Self::BadAnswer { reason: error.to_string() }
    }
}

/// Does a task: the running server does it if there is one, else this process.
///
/// # Errors
/// [`AskError`] says why it was not done.
pub async fn ask(configuration: &Configuration, task: Task) -> Result<Value, AskError> {
    match connect(&configuration.data_dir).await {
        Some(stream) => over(stream, &task).await,
        None => match read_only::perform(configuration, task).await {
            Ok(answer) => answer,
            Err(task) => {
                let buildly = open_for_command(configuration).await.map_err(StartError::from)?;
                let outcome = perform(&buildly, task).await;
                buildly.close().await;
                outcome.map_err(|problem| AskError::Refused { detail: problem.explained() })
            }
        },
    }
}

/// Does several tasks, one after the other: the running server does them if there is one, else
/// this process, which holds the deployment open meanwhile.
pub struct Session {
    folder: PathBuf,
    own: Option<Buildly>,
    is_shared: bool,
}

impl Session {
    /// Begins; makes nothing where nothing is.
    ///
    /// # Errors
    /// [`AskError`] if no server runs and the deployment cannot be opened.
    pub async fn open(configuration: &Configuration) -> Result<Self, AskError> {
        let folder = configuration.data_dir.clone();
        let is_shared = configuration.database_url.is_some();
        if connect(&folder).await.is_some() {
            return Ok(Self { folder, own: None, is_shared });
        }
        read_only::require_data(configuration).await?;
        let own = open_for_command(configuration).await.map_err(StartError::from)?;
        Ok(Self { folder, own: Some(own), is_shared })
    }

    /// Whether a server may be working while this goes on: the one on the folder, or another node
    /// of the same database.
    #[must_use]
    pub fn is_worked_on(&self) -> bool {
        self.own.is_none() || self.is_shared
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Does a task.
    ///
    /// # Errors
    /// [`AskError`] says why it was not done.
    pub async fn ask(&self, task: Task) -> Result<Value, AskError> {
        let refused = |problem: crate::Problem| AskError::Refused { detail: problem.explained() };
        match &self.own {
            Some(buildly) => perform(buildly, task).await.map_err(refused),
            None => match connect(&self.folder).await {
                Some(stream) => over(stream, &task).await,
                None => Err(AskError::Gone { folder: self.folder.clone() }),
            },
        }
    }

    /// Ends it.
    pub async fn close(self) {
        if let Some(buildly) = self.own {
            buildly.close().await;
        }
    }
}

/// A connection to the running server; `None` if none runs.
pub(super) async fn connect(folder: &Path) -> Option<UnixStream> {
    match UnixStream::connect(socket::path(folder)).await {
        Ok(stream) => Some(stream),
        Err(error) => {
            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) {
                tracing::debug!(%error, "the server's socket cannot be used");
            }
            None
        }
    }
}

async fn over(stream: UnixStream, task: &Task) -> Result<Value, AskError> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(AskError::bad)?;
    let body = Full::new(Bytes::from(serde_json::to_vec(task).map_err(AskError::bad)?));
    let request = http::Request::post(PATH)
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(AskError::bad)?;
    let exchange = async move {
        let response = sender.send_request(request).await.map_err(AskError::bad)?;
        let status = response.status();
        let bytes =
            Body::stream(response.into_body()).collect(ANSWER_BYTES_MAX).await.map_err(AskError::bad)?;
        Ok::<_, AskError>((status, bytes))
    };
    // The connection is driven here, beside the exchange, and ends with it.
    let (answer, _) = tokio::join!(exchange, connection);
    let (status, bytes) = answer?;
    let value: Value = serde_json::from_slice(&bytes).map_err(AskError::bad)?;
    if status.is_success() {
        return Ok(value);
    }
    Err(AskError::Refused { detail: crate::problem::explained(&value) })
}
