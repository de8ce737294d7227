//! Certificates of the server, read again when asked to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::watch;

use crate::StartError;
use crate::configuration::Tls;

/// Certificates that can be read again; a handshake takes the newest.
#[derive(Debug)]
pub(crate) struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    current: watch::Sender<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads what the settings name; `None` if they name nothing.
    ///
    /// # Errors
    /// [`StartError::File`] if a file cannot be used, or if only one of the two is named.
    pub(crate) fn open(tls: &Tls) -> Result<Option<Self>, StartError> {
        let (certificate, key) = match (&tls.certificate, &tls.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            (Some(path), None) | (None, Some(path)) => {
                let reason = "`tls.certificate` and `tls.key` go together; set both".to_owned();
                return Err(StartError::File { path: path.clone(), reason });
            }
        };
        let current = watch::Sender::new(Arc::new(read(&certificate, &key)?));
        Ok(Some(Self { certificate, key, current }))
    }

    /// What new connections are to use, now and later.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.current.subscribe()
    }

    /// Reads the files again. If they cannot be used, the old certificates stay.
    pub(crate) fn reload(&self) {
        match read(&self.certificate, &self.key) {
            Ok(configuration) => {
                self.current.send_replace(Arc::new(configuration));
                tracing::info!(certificate = %self.certificate.display(), "certificate read again");
            }
            Err(error) => tracing::error!(%error, "the certificate was not read again; the old one stays"),
        }
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, StartError> {
    let refused = |path: &Path, reason: String| StartError::File { path: path.to_owned(), reason };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(certificate, format!("no certificate can be read: {error}")))?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| refused(key, format!("no private key can be read: {error}")))?;
    let mut configuration = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(certificate, error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| refused(certificate, format!("the certificate cannot be used: {error}")))?;
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(configuration)
}
