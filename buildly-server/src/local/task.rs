//! The tasks, each done by one call of the library.

use std::path::PathBuf;

use buildly_core::auth::identity::NewSuperuser;
use buildly_core::{Buildly, Folder};
use buildly_model::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::audit::verified;
use super::{Against, Ask, services, workflow};
use crate::Problem;

/// What a command asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Task {
    /// How the deployment is.
    Status {},
    /// Make a superuser.
    CreateAdmin {
        /// The name to sign in with.
        username: String,
        /// The address for mail.
        email: String,
        /// Where the superuser belongs; made if there is none of that name.
        organization: String,
        /// The password.
        #[serde(serialize_with = "exposed")]
        password: Secret,
    },
    /// Set a user's password.
    SetPassword {
        /// Whose.
        username: String,
        /// The new one.
        #[serde(serialize_with = "exposed")]
        password: Secret,
    },
    /// Copy the database as it is at one moment to a new file.
    Backup {
        /// The file's absolute path.
        file: PathBuf,
    },
    /// Register a service at the gateway.
    RegisterService {
        /// The first segment of its paths.
        name: String,
        /// Its base URL.
        endpoint: String,
        /// Where its document is, below the base URL.
        docs_endpoint: Option<String>,
    },
    /// The registered services.
    ListServices {},
    /// Take a service off the gateway.
    RemoveService {
        /// Its name.
        name: String,
    },
    /// Whether every chain of the journal holds.
    VerifyAudit {
        /// Checkpoints that were kept elsewhere, if any.
        against: Against,
    },
    /// Sign the ends of all chains, to be kept elsewhere.
    Checkpoint {},
    /// Something about workflows.
    Workflow {
        /// The name of the user who acts; the first superuser if none is named.
        acting_as: Option<String>,
        /// What.
        ask: Ask,
    },
}

/// Secrets are written only here, to a socket that the folder's owner alone can open.
fn exposed<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// Does a task.
///
/// # Errors
/// [`Problem`] says why it was not done.
pub async fn perform(buildly: &Buildly, task: Task) -> Result<Value, Problem> {
    match task {
        Task::Status {} => Ok(status(buildly.folder())),
        Task::CreateAdmin { username, email, organization, password } => {
            let new = NewSuperuser { username, email, password, organization_name: organization };
            let view = buildly.auth().create_superuser(&new).await?;
            Ok(json!({"username": view.user.username, "core_user_uuid": view.user.id}))
        }
        Task::SetPassword { username, password } => {
            buildly.auth().set_password(&username, &password).await?;
            Ok(json!({"username": username}))
        }
        Task::Backup { file } => {
            let copied = buildly.backup(&file).await;
            copied.map_err(|error| Problem::unavailable(format!("No backup was made: {error}.")))?;
            Ok(json!({"file": file}))
        }
        Task::RegisterService { name, endpoint, docs_endpoint } => {
            services::register(buildly, name, endpoint, docs_endpoint).await
        }
        Task::ListServices {} => services::list(buildly).await,
        Task::RemoveService { name } => services::remove(buildly, &name).await,
        Task::VerifyAudit { against } => {
            let kept = against.read(buildly.folder())?;
            Ok(verified(&buildly.journal().verify_against(&kept).await?))
        }
        Task::Checkpoint {} => Ok(json!(buildly.journal().checkpoints().await.map_err(unusable)?)),
        Task::Workflow { acting_as, ask } => workflow::perform(buildly, acting_as.as_deref(), ask).await,
    }
}

/// What is said of a deployment.
pub(super) fn status(folder: &Folder) -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "process": std::process::id(),
        "data_dir": folder.path().display().to_string(),
    })
}

/// A folder or key that cannot be used.
pub(super) fn unusable(error: buildly_core::Error) -> Problem {
    Problem::unavailable(error.to_string())
}
