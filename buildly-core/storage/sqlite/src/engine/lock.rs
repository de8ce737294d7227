//! The lock of a data folder, or of a part of it: one process writes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use buildly_model::StoreError;

/// An exclusive lock on a folder or on something in it, held until it is dropped or the process
/// ends, however it ends. The file of the lock (`lock` for a folder) stays and names the process.
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
        Self::acquire_file(&folder.join("lock"), |holder| {
            format!(
                "the folder `{}` is in use by {holder}; one process at a time writes to a folder: stop that one, \
                 give this one another folder, or use PostgreSQL (`--database-url`), which several processes can share",
                folder.display()
            )
        })
    }

    /// Locks whatever the file at `path` stands for; `refusal` makes the sentence from who holds
    /// it, such as `process 123`.
    ///
    /// # Errors
    /// As [`FolderLock::acquire`].
    pub fn acquire_file(path: &Path, refusal: impl FnOnce(&str) -> String) -> Result<Self, StoreError> {
        let cannot_write = |error: std::io::Error| StoreError::Unavailable {
            reason: format!("the lock file `{}` cannot be written: {error}", path.display()),
            source: Some(Box::new(error)),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(cannot_write)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(super::unavailable(refusal(&holder(&mut file)))),
            Err(TryLockError::Error(error)) => return Err(cannot_write(error)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(cannot_write)?;
        writeln!(file, "{}", std::process::id()).and_then(|()| file.sync_data()).map_err(cannot_write)?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // The holder may be about to write its number; without one the sentence still holds.
    match file.read_to_string(&mut text).map(|_| text.trim().parse::<u32>()) {
        Ok(Ok(process)) if process == std::process::id() => "this process already".to_owned(),
        Ok(Ok(process)) => format!("process {process}"),
        Ok(Err(_)) | Err(_) => "another process".to_owned(),
    }
}
