//! Files of content: written beside, then moved into place whole.
//!
//! `incoming/` holds what is being received, and for a moment what is being removed; whatever is
//! there at the start was broken off and is removed. `content/<organization>/<first two digits>/<SHA-256>` holds what is complete.
//! A file gets its name only after its bytes are on disk, so a name always means the whole.
//! The folder belongs to one process: the lock `content.lock` names it.

mod claims;
mod usage;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use buildly_kit::{Body, Error, FolderLock};
use buildly_model::{OrganizationId, StoreError};
use http_body_util::BodyExt as _;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

use crate::Limits;
use claims::Claims;
use usage::{Room, Usage};

pub(crate) use claims::Placing;

/// How long a sender may pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The files of all organizations.
#[derive(Debug)]
pub struct Content {
    folder: PathBuf,
    bytes_max: u64,
    /// A file is never removed between being found there and being named by a version.
    claims: Claims,
    usage: Usage,
    _lock: FolderLock,
}

/// A file that has been received whole; it is removed unless it is put in place.
#[derive(Debug)]
pub(crate) struct Received {
    path: PathBuf,
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
    room: Room,
}

impl Drop for Received {
    fn drop(&mut self) {
        // After it was put in place there is nothing here any more.
        drop(std::fs::remove_file(&self.path));
    }
}

impl Content {
    /// Opens the folder for this process alone, makes it if there is none, and removes what was
    /// broken off.
    ///
    /// # Errors
    /// If it cannot be made or written to, or another process has it.
    pub fn open(folder: &Path, limits: Limits) -> std::io::Result<Self> {
        let incoming = folder.join("incoming");
        std::fs::create_dir_all(&incoming)?;
        let lock = FolderLock::acquire_file(&folder.join("content.lock"), |holder| {
            format!(
                "the folder of contents `{}` is in use by {holder}; one process at a time has it: stop that \
                 one, or give this one another folder",
                folder.display()
            )
        })
        .map_err(std::io::Error::other)?;
        std::fs::create_dir_all(folder.join("content"))?;
        for entry in std::fs::read_dir(&incoming)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            bytes_max: limits.content_bytes_max,
            claims: Claims::default(),
            usage: Usage::new(limits.organization_bytes_max),
            _lock: lock,
        })
    }

    /// Receives a body into a file of its own, on disk when this returns.
    pub(crate) async fn receive(
        &self,
        organization: OrganizationId,
        announced: Option<u64>,
        mut body: Body,
    ) -> Result<Received, Error> {
        let too_large = || Error::TooLarge { bytes_max: self.bytes_max };
        if announced.is_some_and(|bytes| bytes > self.bytes_max) {
            return Err(too_large());
        }
        let room = self.usage.room(organization, &self.folder_of(organization)).await?;
        room.check(announced.unwrap_or(0))?;
        let mut received = Received { path: self.new_incoming(), sha256: String::new(), bytes: 0, room };
        let mut file = File::create_new(&received.path).await.map_err(disk_error)?;
        let mut hash = Context::new(&SHA256);
        loop {
            let frame = match tokio::time::timeout(PAUSE_MAX, body.frame()).await {
                Err(_) => return Err(Error::TooSlow),
                Ok(None) => break,
                Ok(Some(Err(_))) => return Err(Error::Malformed("The body broke off.".to_owned())),
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(bytes) = frame.into_data() else { continue };
            received.bytes += bytes.len() as u64;
            if received.bytes > self.bytes_max {
                return Err(too_large());
            }
            received.room.take(bytes.len() as u64)?;
            hash.update(&bytes);
            file.write_all(&bytes).await.map_err(disk_error)?;
        }
        file.flush().await.map_err(disk_error)?;
        file.sync_all().await.map_err(disk_error)?;
        received.sha256 = hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(received)
    }

    /// Keeps the file of this digest from being removed while this lives.
    pub(crate) fn placing(&self, organization: OrganizationId, sha256: &str) -> Placing {
        self.claims.place((organization, sha256.to_owned()))
    }

    /// Gives a received file its name, if there is none of that name yet.
    pub(crate) async fn place(
        &self,
        organization: OrganizationId,
        received: &mut Received,
    ) -> Result<(), Error> {
        let path = self.path(organization, &received.sha256);
        let parent = path.parent().map(Path::to_owned).unwrap_or_default();
        tokio::fs::create_dir_all(&parent).await.map_err(disk_error)?;
        let (claims, from) = (self.claims.clone(), received.path.clone());
        // Of two who bring the same content, one gives it its name.
        let renamed = blocking(move || {
            claims.alone(|| match path.try_exists()? {
                true => Ok(false),
                false => std::fs::rename(from, path).map(|()| true),
            })
        });
        if renamed.await? {
            received.room.keep();
        }
        let folder = File::open(&parent).await.map_err(disk_error)?;
        folder.sync_all().await.map_err(disk_error)
    }

    /// Opens a file for reading.
    pub(crate) async fn read(&self, organization: OrganizationId, sha256: &str) -> Result<File, Error> {
        File::open(self.path(organization, sha256)).await.map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                return StoreError::corrupt(format!("the content `{sha256}` is not in its folder")).into();
            }
            disk_error(error)
        })
    }

    /// Removes a file if `is_named` says that no version names it. What somebody is about to name
    /// is left to them.
    pub(crate) async fn remove_unless(
        &self,
        organization: OrganizationId,
        sha256: &str,
        is_named: impl Future<Output = Result<bool, Error>>,
    ) -> Result<(), Error> {
        let used = self.usage.of(organization, &self.folder_of(organization)).await?;
        let Some(removal) = self.claims.remove((organization, sha256.to_owned())) else { return Ok(()) };
        if is_named.await? {
            return Ok(());
        }
        let (path, away) = (self.path(organization, sha256), self.new_incoming());
        blocking(move || {
            // Moving is quick whatever the size, and nobody finds the file any more.
            match removal.finish(|| std::fs::rename(path, &away)) {
                None => return Ok(()),
                Some(Err(error)) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Some(moved) => moved?,
            }
            let bytes = std::fs::metadata(&away)?.len();
            std::fs::remove_file(&away)?;
            usage::give_back(&used, bytes);
            Ok(())
        })
        .await
    }

    /// Where all contents are: a folder for each organization.
    pub(crate) fn contents(&self) -> PathBuf {
        self.folder.join("content")
    }

    fn folder_of(&self, organization: OrganizationId) -> PathBuf {
        self.contents().join(organization.to_string())
    }

    fn new_incoming(&self) -> PathBuf {
        self.folder.join("incoming").join(Uuid::now_v7().to_string())
    }

    /// Digests are ours, 64 hexadecimal digits, so no path can lead elsewhere.
    fn path(&self, organization: OrganizationId, sha256: &str) -> PathBuf {
        let first = sha256.get(..2).unwrap_or("00");
        self.folder_of(organization).join(first).join(sha256)
    }
}

/// Works on the disk on a thread that may wait for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(StoreError::unavailable)?.map_err(disk_error)
}

fn disk_error(error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Error::NoSpace,
        _ => StoreError::unavailable(error).into(),
    }
}
