//! Says how a deployment is opened.

use std::path::PathBuf;
use std::sync::Arc;

use buildly_auth::security::Security;
use buildly_extension::{Partner, Transport};
use buildly_model::Clock;
use buildly_model::system::System;
use buildly_unit::Storage;

use crate::extensions::Extensions;
use crate::{Buildly, Error, Folder, Settings};

/// Says how a deployment is opened.
#[derive(Default)]
pub struct Builder {
    folder: Option<PathBuf>,
    storage: Option<Arc<dyn Storage>>,
    settings: Settings,
    clock: Option<Arc<dyn Clock>>,
    extensions: Extensions,
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

    /// Decides otherwise than the defaults.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Takes the time from this clock instead of the machine's: for tests and simulations. Waits
    /// go by tokio's clock all the same.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Carries the journal's events out through this transport, beside webhooks.
    ///
    /// ```
    /// use buildly_core::Buildly;
    /// use buildly_core::extension::{Batch, CloudEvent, Outcome, Transport};
    /// # use buildly_core::auth::identity::NewSuperuser;
    /// # use buildly_core::model::Secret;
    /// # use tokio::sync::mpsc;
    ///
    /// struct Warehouse {
    ///     events: mpsc::Sender<Vec<u8>>,
    /// }
    ///
    /// impl Warehouse {
    ///     async fn send(&self, event: Vec<u8>) -> Result<(), String> {
    ///         self.events.send(event).await.map_err(|error| error.to_string())
    ///     }
    /// }
    ///
    /// #[async_trait::async_trait]
    /// impl Transport for Warehouse {
    ///     fn name(&self) -> &str {
    ///         "warehouse"
    ///     }
    ///
    ///     async fn carry(&self, batch: Batch<'_>) -> Outcome {
    ///         for (place, event) in batch.events.iter().enumerate() {
    ///             if let Err(fault) = self.send(CloudEvent::of(event).to_json()).await {
    ///                 return Outcome::failed(place, fault);
    ///             }
    ///         }
    ///         Outcome::all(&batch)
    ///     }
    /// }
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("buildly-transport-{}", std::process::id()));
    /// # let (events, mut came) = mpsc::channel(64);
    /// # let warehouse = Warehouse { events };
    /// let buildly = Buildly::builder().folder(&folder).transport(warehouse).build().await?;
    /// # let founder = NewSuperuser {
    /// #     username: "ada".to_owned(),
    /// #     email: "ada@example.org".to_owned(),
    /// #     password: Secret::new("Correct-horse-9-battery"),
    /// #     organization_name: "Acme".to_owned(),
    /// # };
    /// # buildly.auth().create_superuser(&founder).await?;
    /// # let first = came.recv().await.expect("an event");
    /// # assert!(String::from_utf8(first)?.contains("\"specversion\":\"1.0\""));
    /// # buildly.close().await;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.extensions.transports.push(Arc::new(transport));
        self
    }

    /// Lets this extension take part in sign-in ([`Buildly::sign_in_by`]) and in decisions.
    #[must_use]
    pub fn security(mut self, extension: impl Security + 'static) -> Self {
        self.extensions.security.push(Arc::new(extension));
        self
    }

    /// Lets workflows exchange with this third party: it stands at
    /// `http://NAME.partner.localhost`; register a service of that name and address.
    #[must_use]
    pub fn partner(mut self, partner: impl Partner + 'static) -> Self {
        self.extensions.partners.push(Arc::new(partner));
        self
    }

    /// Opens the deployment: when this returns, the snapshot is loaded.
    ///
    /// # Errors
    /// [`Error`] says what is missing or wrong.
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
        let clock = self.clock.unwrap_or_else(|| Arc::new(System));
        Buildly::start(folder, storage, self.settings, clock, self.extensions).await
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

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
