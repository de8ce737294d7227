//! The data folder: `core.db`, `keys/`, `mail/`, and one `<service>.db` a service.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use buildly_model::Random;

use crate::Error;
#[cfg(feature = "sqlite")]
use buildly_storage_sqlite::engine::FolderLock;

/// A data folder on this machine.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// The length of a deployment key in bytes.
pub const DEPLOYMENT_KEY_BYTES: usize = 32;

impl Folder {
    /// Makes the folder and what belongs in it, if it is not there, readable by its owner only.
    ///
    /// # Errors
    /// [`Error::Folder`] if it cannot be made.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let folder = Self { path: path.into() };
        for part in [folder.path.clone(), folder.keys(), folder.mail()] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&part)
                .map_err(|source| Error::folder(&part, source))?;
        }
        Ok(folder)
    }

    /// Names a folder that may be there or not; nothing is made.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Locks the folder for this process, as a deployment that is open on its SQLite file does;
    /// until the lock is dropped nobody can open it.
    ///
    /// # Errors
    /// [`Error::Store`] names the process that has it.
    #[cfg(feature = "sqlite")]
    pub fn lock(&self) -> Result<FolderLock, Error> {
        Ok(FolderLock::acquire(&self.path)?)
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The core's database file.
    #[must_use]
    pub fn core_database(&self) -> PathBuf {
        self.path.join("core.db")
    }

    /// The database file of a service.
    #[must_use]
    pub fn service_database(&self, service: &str) -> PathBuf {
        self.path.join(format!("{service}.db"))
    }

    /// Where messages are put while no mail server is configured.
    #[must_use]
    pub fn mail(&self) -> PathBuf {
        self.path.join("mail")
    }

    /// Where services' own secrets are, a file each; made by whoever puts one there.
    #[must_use]
    pub fn secrets(&self) -> PathBuf {
        self.path.join("secrets")
    }

    /// Where the keys are that must not be in the database.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// The key that seals secrets in the database; drawn when it is first asked for.
    ///
    /// # Errors
    /// [`Error::Folder`] if the file cannot be read or made, [`Error::Key`] if it holds no key.
    pub fn deployment_key(&self, random: &dyn Random) -> Result<[u8; DEPLOYMENT_KEY_BYTES], Error> {
        let path = self.keys().join("deployment.key");
        let bytes = self.read_or_create(&path, || {
            let mut key = vec![0; DEPLOYMENT_KEY_BYTES];
            random.fill(&mut key);
            Some(key)
        })?;
        let expected = format!("{DEPLOYMENT_KEY_BYTES} bytes");
        bytes.try_into().map_err(|_| Error::Key { path, expected })
    }

    /// The key that signs checkpoints of the journal (Ed25519, PKCS #8); drawn when it is first
    /// asked for.
    ///
    /// # Errors
    /// [`Error::Folder`] if the file cannot be read or made, [`Error::Key`] if it holds no key.
    pub fn checkpoint_key(&self) -> Result<aws_lc_rs::signature::Ed25519KeyPair, Error> {
        let path = self.keys().join("checkpoint.key");
        let bytes = self.read_or_create(&path, || {
            let pair = aws_lc_rs::signature::Ed25519KeyPair::generate().ok()?;
            pair.to_pkcs8().ok().map(|document| document.as_ref().to_vec())
        })?;
        aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(&bytes)
            .map_err(|_| Error::Key { path, expected: "an Ed25519 key in PKCS #8".to_owned() })
    }

    /// The public half of the key that signs checkpoints, in hexadecimal; `None` if there is no
    /// key yet. Nothing is made.
    ///
    /// # Errors
    /// As [`Folder::checkpoint_key`].
    pub fn checkpoint_public_key(&self) -> Result<Option<String>, Error> {
        let is_there = self.keys().join("checkpoint.key").exists();
        is_there.then(|| self.checkpoint_key().map(|key| buildly_journal::public_key(&key))).transpose()
    }

    /// Reads a key file, or makes it: written beside, then linked into place, so that neither
    /// a crash nor a second process leaves half a key or two different ones.
    fn read_or_create(&self, path: &Path, draw: impl FnOnce() -> Option<Vec<u8>>) -> Result<Vec<u8>, Error> {
        match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            read => return read.map_err(|source| Error::folder(path, source)),
        }
        let key = draw().ok_or_else(|| Error::folder(path, io::Error::other("no key could be drawn")))?;
        let beside = path.with_extension(format!("new.{}", std::process::id()));
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(&key)?;
            file.sync_all()?;
            let linked = fs::hard_link(&beside, path);
            fs::remove_file(&beside)?;
            match linked {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => fs::read(path),
            }
        };
        write().map_err(|source| Error::folder(path, source))
    }
}

#[cfg(test)]
mod tests;
