//! Where a service's own credential comes from.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use buildly_gateway::SecretReference;
use buildly_model::Secret;
use http::HeaderValue;

/// More than any key or token has.
const SECRET_BYTES_MAX: u64 = 16 * 1024;

/// Finds secrets by reference; asked when a service changes, never on a call.
pub trait Secrets: Send + Sync {
    /// The secret behind a reference such as `env:BUILDLY_SECRET_CRM`.
    ///
    /// # Errors
    /// [`SecretError`] says why it cannot be had.
    fn find(&self, reference: &str) -> Result<Secret, SecretError>;
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It names something that is not there to be a secret of a service.
    #[error("{expected}; got `{reference}`")]
    Refused {
        /// What it should have been.
        expected: &'static str,
        /// What it is.
        reference: String,
    },
    /// A file that is no file of the folder for secrets.
    #[error("expected a file in `{folder}`, and `{path}` leads out of it")]
    Outside {
        /// The folder.
        folder: String,
        /// Where the file is.
        path: String,
    },
    /// There is none.
    #[error("`{reference}` is not set or is empty")]
    Missing {
        /// The reference.
        reference: String,
    },
    /// The file cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Secrets of this machine: `env:BUILDLY_SECRET_NAME`, a variable of the environment, and
/// `file:NAME`, a file in one folder (its last line break does not count).
#[derive(Debug, Clone)]
pub struct MachineSecrets {
    folder: PathBuf,
}

impl MachineSecrets {
    /// Takes files from this folder and no other.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Links count by where they lead to.
    fn read(&self, path: &Path) -> Result<String, SecretError> {
        let unreadable = |path: &Path| {
            let path = path.display().to_string();
            move |source| SecretError::Unreadable { path, source }
        };
        let folder = self.folder.canonicalize().map_err(unreadable(&self.folder))?;
        let path = folder.join(path);
        let path = path.canonicalize().map_err(unreadable(&path))?;
        if !path.starts_with(&folder) {
            let (folder, path) = (folder.display().to_string(), path.display().to_string());
            return Err(SecretError::Outside { folder, path });
        }
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_string(&mut text));
        read.map_err(unreadable(&path))?;
        Ok(text)
    }
}

impl Secrets for MachineSecrets {
    fn find(&self, reference: &str) -> Result<Secret, SecretError> {
        let owned = || reference.to_owned();
        let found = SecretReference::parse(reference)
            .map_err(|expected| SecretError::Refused { expected, reference: owned() })?;
        let text = match found {
            SecretReference::Variable(name) => std::env::var(name).unwrap_or_default(),
            SecretReference::File(path) => self.read(path)?,
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() { Err(SecretError::Missing { reference: owned() }) } else { Ok(Secret::new(text)) }
    }
}

/// The `Authorization` that a secret stands for: itself if it names a scheme (`Basic …`,
/// `ApiKey …`), else a bearer token.
pub(crate) fn authorization(secret: &Secret) -> Option<HeaderValue> {
    let text = secret.expose();
    let mut value = if text.contains(' ') {
        HeaderValue::from_str(text).ok()?
    } else {
        HeaderValue::try_from(format!("Bearer {text}")).ok()?
    };
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use buildly_model::Random as _;
    use buildly_model::system::System;

    use super::*;

    #[test]
    fn only_what_was_put_there_for_services_is_found() {
        let place = std::env::temp_dir().join(format!("buildly-secrets-{}", System.number()));
        let folder = place.join("secrets");
        std::fs::create_dir_all(folder.join("crm")).unwrap();
        std::fs::write(place.join("core.db"), "not for services").unwrap();
        std::fs::write(folder.join("crm/key"), "key-7\n").unwrap();
        std::fs::write(folder.join("empty"), "\n").unwrap();
        std::os::unix::fs::symlink("crm/key", folder.join("inside")).unwrap();
        std::os::unix::fs::symlink("../core.db", folder.join("outside")).unwrap();
        let secrets = MachineSecrets::new(&folder);
        for (reference, expected) in [
            ("file:crm/key", "key-7"),
            ("file:inside", "key-7"),
            ("file:outside", "leads out of it"),
            ("file:../core.db", "got `file:../core.db`"),
            ("file:/etc/hostname", "got `file:/etc/hostname`"),
            ("file:missing", "cannot be read"),
            ("file:empty", "is not set or is empty"),
            ("env:PATH", "expected `env:` and a variable such as `BUILDLY_SECRET_CRM`"),
            ("env:BUILDLY_SECRET_OF_NOBODY", "`env:BUILDLY_SECRET_OF_NOBODY` is not set or is empty"),
        ] {
            let found = secrets.find(reference);
            let text = found.map_or_else(|error| error.to_string(), |secret| secret.expose().to_owned());
            assert!(text.contains(expected), "{reference}: {text}");
        }
        std::fs::remove_dir_all(place).unwrap();
    }
}
