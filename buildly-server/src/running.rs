//! A server with its sockets, from settings to the last answer.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use buildly_core::Buildly;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::configuration::Configuration;
use crate::serve::{Listener, serve};
use crate::tls::Certificates;
use crate::{Server, api, deployment, local};

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{listen}`: {source}; choose another address with `--listen HOST:PORT`")]
    Listen {
        /// The address.
        listen: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The deployment cannot be opened.
    #[error(transparent)]
    Open(#[from] buildly_core::Error),
    /// A file that the settings name cannot be used.
    #[error("`{}`: {reason}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Two resources claim the same path; a mistake in the program.
    #[error("{0}")]
    Routes(String),
}

/// A running server.
pub struct Running {
    address: SocketAddr,
    server: Arc<Server>,
    certificates: Option<Certificates>,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

impl Running {
    /// Opens the deployment and begins to listen.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way.
    pub async fn start(configuration: Configuration) -> Result<Self, StartError> {
        let buildly = deployment::open(&configuration).await?;
        Self::over(buildly, configuration).await
    }

    /// Begins to listen over a deployment that is open already.
    ///
    /// # Errors
    /// [`StartError`] says what is in the way.
    pub async fn over(buildly: Buildly, configuration: Configuration) -> Result<Self, StartError> {
        let listen = configuration.listen.clone();
        let refused = |source| StartError::Listen { listen: listen.clone(), source };
        let listener = TcpListener::bind(&listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let certificates = Certificates::open(&configuration.tls)?;
        let scheme = if certificates.is_some() { "https" } else { "http" };
        let public_url = configuration.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        buildly.auth().issue_as(&public_url).await.map_err(buildly_core::Error::from)?;
        list_open_services(&buildly).await.map_err(buildly_core::Error::from)?;
        let server =
            Server::new(buildly, &api::routes(), configuration, public_url).map_err(StartError::Routes)?;
        let server = Arc::new(server);
        let (stop, stopped) = watch::channel(false);
        let listener = match &certificates {
            Some(certificates) => Listener::Tls(listener, certificates.watch()),
            None => Listener::Tcp(listener),
        };
        let mut serving = vec![tokio::spawn(serve(server.clone(), listener, stopped.clone()))];
        let folder = server.buildly().folder().path().to_owned();
        match local::bind(&folder).await {
            Ok((listener, file)) => serving.push(tokio::spawn({
                let server = server.clone();
                async move {
                    serve(server, Listener::Unix(listener), stopped).await;
                    drop(file);
                }
            })),
            Err(error) => {
                tracing::warn!(%error, "commands cannot reach this server: no socket in the folder")
            }
        }
        Ok(Self { address, server, certificates, stop, serving })
    }

    /// The URL of the address it listens on.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Reads the certificates again, where there are any.
    pub fn reload(&self) {
        if let Some(certificates) = &self.certificates {
            certificates.reload();
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server behind the sockets.
    #[must_use]
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Takes no more connections, lets open requests end, and closes the deployment; all of it
    /// within `limits.stop_timeout`.
    pub async fn stop(self) {
        let stop_timeout = self.server.context().configuration.limits.stop_timeout;
        self.stop.send_replace(true);
        let ended = async {
            for serving in self.serving {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "serving ended badly");
                }
            }
            self.server.buildly().close().await;
        };
        if tokio::time::timeout(stop_timeout, ended).await.is_err() {
            tracing::warn!("the time for an orderly end is over; what was acknowledged is on disk");
        }
    }
}

/// Existing clients rely on it, so an operator should know: a service without groups is open
/// to every signed-in user of the deployment.
async fn list_open_services(buildly: &Buildly) -> Result<(), buildly_core::auth::Error> {
    let snapshot = buildly.snapshot();
    for registered in snapshot.gateway.services() {
        let service = &registered.service;
        if buildly.auth().service_groups(service.id).await?.is_empty() {
            tracing::warn!(service = %service.name, "no groups are attached: every signed-in user may use this service");
        }
    }
    Ok(())
}
