//! The whole deployment of the demo in one process: the server and three services, each on a
//! port and a database of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use buildly_kit::{DatabaseAddress, Declaration, KeySource, Settings, TokenSettings, Tokens};
use buildly_model::system::System;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::configuration::Configuration;
use crate::{Running, StartError};

/// Why the stage cannot be set.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// The server does not start.
    #[error(transparent)]
    Server(#[from] StartError),
    /// A service does not start.
    #[error("service `{service}` does not start: {reason}")]
    Service {
        /// Which.
        service: &'static str,
        /// Why.
        reason: String,
    },
}

/// The running deployment.
pub struct Stage {
    pub(super) running: Running,
    pub(super) configuration: Configuration,
    pub(super) crm: SocketAddr,
    pub(super) documents: SocketAddr,
    pub(super) appointments: SocketAddr,
    stop: watch::Sender<bool>,
    services: Vec<JoinHandle<()>>,
}

impl Stage {
    /// Starts the server, then the services that check its tokens.
    ///
    /// # Errors
    /// [`StageError`] says what does not start.
    pub async fn set(configuration: Configuration) -> Result<Self, StageError> {
        let running = Running::start(configuration.clone()).await?;
        let (stop, stopped) = watch::channel(false);
        let mut services = Vec::new();
        let jwks = format!("http://{}/.well-known/jwks.json", running.address());
        let folder = configuration.data_dir.clone();
        let documents = buildly_documents::declaration(&folder, buildly_documents::Limits::default())
            .map_err(|error| failed("documents", &error))?;
        let crm = Service { name: "crm", declaration: buildly_crm::declaration() };
        let documents = Service { name: "documents", declaration: documents };
        let appointments = Service { name: "appointments", declaration: buildly_appointments::declaration() };
        let mut addresses = Vec::new();
        for service in [crm, documents, appointments] {
            let (address, task) = service.start(&configuration, &folder, &jwks, stopped.clone()).await?;
            addresses.push(address);
            services.push(task);
        }
        let mut addresses = addresses.into_iter();
        let mut next = || addresses.next().unwrap_or(running.address());
        let (crm, documents, appointments) = (next(), next(), next());
        Ok(Self { running, configuration, crm, documents, appointments, stop, services })
    }

    /// Where the server answers.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Ends services and server; all of it within `limits.stop_timeout`.
    pub async fn strike(self) {
        let until = Instant::now() + self.configuration.limits.stop_timeout;
        self.stop.send_replace(true);
        let services = async {
            for mut service in self.services {
                match tokio::time::timeout_at(until, &mut service).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::error!(%error, "a service ended badly"),
                    Err(_) => service.abort(),
                }
            }
        };
        // Together: what one waits for, the other may be busy with.
        tokio::join!(services, self.running.stop());
    }
}

struct Service {
    name: &'static str,
    declaration: Declaration,
}

impl Service {
    async fn start(
        self,
        configuration: &Configuration,
        folder: &Path,
        jwks: &str,
        mut stopped: watch::Receiver<bool>,
    ) -> Result<(SocketAddr, JoinHandle<()>), StageError> {
        let name = self.name;
        let database = match &configuration.database_url {
            Some(url) => DatabaseAddress::Postgres {
                url: url.expose().to_owned(),
                schema: format!("{}_{name}", configuration.database_schema),
            },
            None => DatabaseAddress::File(folder.join(format!("{name}.db"))),
        };
        let keys = KeySource::parse(jwks).map_err(|reason| StageError::Service { service: name, reason })?;
        let tokens = TokenSettings { keys, issuer: None, introspection: None };
        let settings = Settings::new(database, Arc::new(Tokens::new(tokens, Arc::new(System))));
        let service = self.declaration.open(settings).await.map_err(|error| failed(name, &error))?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| failed(name, &error))?;
        let address = listener.local_addr().map_err(|error| failed(name, &error))?;
        let task = tokio::spawn(buildly_kit::serve(service, listener, async move {
            // An error means that the stage is gone, which is a reason to end, too.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        }));
        Ok((address, task))
    }
}

fn failed(service: &'static str, error: &dyn std::error::Error) -> StageError {
    StageError::Service { service, reason: error.to_string() }
}
