//! How a deployment is opened.

use std::fs;
use std::path::{Path, PathBuf};

use buildly_core::auth::token::DeploymentKey;
use buildly_core::{Builder, Buildly, Settings};
use buildly_model::Secret;
use serde::Deserialize;
use uuid::Uuid;

use crate::failure::Failure;

/// The schema of a database, where nobody says another; the server's is the same.
const SCHEMA_DEFAULT: &str = "buildly";

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
    /// The PostgreSQL database to use instead of a file in the folder; may hold a password.
    pub database_url: Option<Secret>,
    /// The schema in that database; its default is `buildly`.
    pub database_schema: Option<String>,
    /// The key that seals secrets in the database, 64 hexadecimal digits; without one, a file in
    /// the folder. Several processes on one database need the same.
    pub deployment_key: Option<Secret>,
}

impl Opening {
    /// Reads a JSON object of these.
    ///
    /// # Errors
    /// A [`Failure`] if it is none.
    pub fn from_json(text: &str) -> Result<Self, Failure> {
        crate::operation::read(text)
    }

    /// Refuses what cannot be opened.
    ///
    /// # Errors
    /// A [`Failure`] that names the field.
    pub(crate) fn check(&self, path: Option<&Path>) -> Result<(), Failure> {
        let path_bytes = path.map(|path| path.as_os_str().as_encoded_bytes());
        if path_bytes.is_some_and(|bytes| bytes.is_empty() || bytes.contains(&0)) {
            return Err(Failure::field("path", "expected a path that is not empty and has no NUL in it"));
        }
        match &self.database_url {
            Some(_) if path.is_none() && self.deployment_key.is_none() => Err(Failure::field(
                "deployment_key",
                "expected one, or a folder that keeps it: without, what is sealed is lost",
            )),
            None if self.database_schema.is_some() => {
                Err(Failure::field("database_schema", "expected none without `database_url`"))
            }
            _ => Ok(()),
        }
    }

    /// Opens the deployment; the threads are the caller's.
    pub(crate) async fn open(self, folder: PathBuf) -> Result<Buildly, Failure> {
        let Self { public_url, works_for_runs, threads: _, database_url, database_schema, deployment_key } =
            self;
        let deployment_key = deployment_key.as_ref().map(key).transpose()?;
        let settings = Settings { public_url, works_for_runs, deployment_key, ..Settings::default() };
        let mut builder = Buildly::builder().folder(folder).settings(settings);
        if let Some(url) = database_url {
            builder =
                on_database(builder, &url, database_schema.as_deref().unwrap_or(SCHEMA_DEFAULT)).await?;
        }
        Ok(builder.build().await?)
    }
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            public_url: None,
            works_for_runs: true,
            threads: 2,
            database_url: None,
            database_schema: None,
            deployment_key: None,
        }
    }
}

fn key(text: &Secret) -> Result<DeploymentKey, Failure> {
    let read = DeploymentKey::from_hexadecimal(text.expose());
    read.ok_or_else(|| Failure::field("deployment_key", "expected 64 hexadecimal digits"))
}

#[cfg(feature = "postgres")]
async fn on_database(builder: Builder, url: &Secret, schema: &str) -> Result<Builder, Failure> {
    Ok(builder.storage(buildly_core::Postgres::connect_in(url.expose(), schema).await?))
}

#[cfg(not(feature = "postgres"))]
async fn on_database(_: Builder, _: &Secret, _: &str) -> Result<Builder, Failure> {
    Err(Failure::field("database_url", "this library was built without PostgreSQL: build it with `postgres`"))
}

/// A folder that is removed at the end.
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Temporary {
    pub(crate) fn new() -> Result<Self, Failure> {
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
