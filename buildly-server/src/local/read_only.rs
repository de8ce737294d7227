//! Tasks that only read, done on the files or the database themselves: nothing is made,
//! migrated or leased, and whoever may only read can do them.

use std::sync::Arc;

use buildly_core::unit::Storage;
use buildly_core::{Folder, Postgres, Sqlite, journal};
use buildly_model::Clock as _;
use buildly_model::system::System;
use serde_json::{Value, json};

use super::audit::verified;
use super::services::shown;
use super::{AskError, Task, task};
use crate::configuration::Configuration;
use crate::{Problem, StartError};

/// Does the task if it only reads; otherwise gives it back.
pub(super) async fn perform(
    configuration: &Configuration,
    task: Task,
) -> Result<Result<Value, AskError>, Task> {
    match task {
        Task::Status {} | Task::ListServices {} | Task::VerifyAudit { .. } | Task::Checkpoint {} => {}
        writing => return Err(writing),
    }
    Ok(match open(configuration).await {
        Err(error) => Err(error),
        Ok(storage) => {
            let answer = read(configuration, storage.as_ref(), task).await;
            storage.close().await;
            answer.map_err(|problem| AskError::Refused { detail: problem.explained() })
        }
    })
}

/// Refuses a place where nothing is.
///
/// # Errors
/// [`AskError`] if there is nothing, or nothing of this version.
pub(super) async fn require_data(configuration: &Configuration) -> Result<(), AskError> {
    open(configuration).await?.close().await;
    Ok(())
}

async fn read(configuration: &Configuration, storage: &dyn Storage, task: Task) -> Result<Value, Problem> {
    let folder = Folder::at(&configuration.data_dir);
    match task {
        Task::ListServices {} => {
            let services = storage.services().await?;
            Ok(json!({"services": services.iter().map(shown).collect::<Vec<_>>()}))
        }
        Task::VerifyAudit { against } => {
            let kept = against.read(&folder)?;
            Ok(verified(&journal::verify(storage, &kept).await?))
        }
        Task::Checkpoint {} => {
            // The key is the one thing that is made here, when it is first used.
            let folder = Folder::create(&configuration.data_dir).map_err(task::unusable)?;
            let key = folder.checkpoint_key().map_err(task::unusable)?;
            Ok(json!(journal::checkpoints(storage, System.now(), &key).await?))
        }
        _ => Ok(task::status(&folder)),
    }
}

async fn open(configuration: &Configuration) -> Result<Arc<dyn Storage>, AskError> {
    let failed =
        |error: buildly_model::StoreError| AskError::from(StartError::from(buildly_core::Error::from(error)));
    if let Some(url) = &configuration.database_url {
        let opened = Postgres::open_read_only(url.expose(), &configuration.database_schema).await;
        return Ok(Arc::new(opened.map_err(failed)?));
    }
    let folder = &configuration.data_dir;
    if !folder.is_file() && !Folder::at(folder).core_database().exists() {
        return Err(AskError::Nothing { folder: folder.clone() });
    }
    Ok(Arc::new(Sqlite::open_read_only(folder).await.map_err(failed)?))
}
