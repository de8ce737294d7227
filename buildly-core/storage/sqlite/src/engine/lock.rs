//! The lock of a data folder: one process writes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use buildly_model::StoreError;

/// An exclusive lock on a folder, held until it is dropped or the process ends, however it
/// ends. The file `lock` stays and names the process.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the folder.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] names the process that holds it, or says why the lock
    /// file cannot be written.
    pub fn acquire(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join("lock");
        let cannot_write = |error: std::io::Error| StoreError::Unavailable {
            reason: format!("the lock file `{}` cannot be written: {error}", path.display()),
            source: Some(Box::new(error)),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(cannot_write)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(folder, &mut file)),
            Err(TryLockError::Error(error)) => return Err(cannot_write(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(cannot_write)?;
        writeln!(file, "{}", std::process::id()).and_then(|()| file.sync_data()).map_err(cannot_write)?;
        Ok(Self { _file: file })
    }
}

fn held(folder: &Path, file: &mut File) -> StoreError {
    let mut text = String::new();
    // The holder may be about to write its number; without one the sentence still holds.
    let holder = match file.read_to_string(&mut text).map(|_| text.trim().parse::<u32>()) {
        Ok(Ok(process)) if process == std::process::id() => "this process already".to_owned(),
        Ok(Ok(process)) => format!("process {process}"),
        Ok(Err(_)) | Err(_) => "another process".to_owned(),
    };
    super::unavailable(format!(
        "the folder `{}` is in use by {holder}; one process at a time writes to a folder: stop that one, \
         give this one another folder, or use PostgreSQL (`--database-url`), which several processes can share",
        folder.display()
    ))
}
