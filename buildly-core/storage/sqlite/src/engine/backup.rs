//! A copy of the file as it is at one moment.

use std::fs::{self, File};
use std::path::Path;

use buildly_model::StoreError;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::{connection, store_error, unavailable};

/// Copies all pages in one read transaction: the write-ahead log lets the writer go on
/// meanwhile. The target gets its name once it is whole and on disk.
pub(super) fn copy(source: &Path, target: &Path) -> Result<(), StoreError> {
    if target.exists() {
        return Err(unavailable(format!(
            "`{}` exists already; a backup overwrites nothing",
            target.display()
        )));
    }
    let mut name = target.file_name().ok_or_else(|| unavailable("the backup needs a file name"))?.to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = target.with_file_name(name);
    let copied = copy_pages(source, &part).and_then(|()| publish(&part, target));
    if copied.is_err() {
        // What is left of it is of no use; the first error is the one to report.
        drop(fs::remove_file(&part));
    }
    copied
}

fn copy_pages(source: &Path, part: &Path) -> Result<(), StoreError> {
    let source = connection::open_read_only(source).map_err(store_error)?;
    let mut copy = Connection::open(part).map_err(store_error)?;
    {
        let backup = Backup::new(&source, &mut copy).map_err(store_error)?;
        match backup.step(-1).map_err(store_error)? {
            StepResult::Done => {}
            _ => return Err(unavailable("the file is locked; try the backup again")),
        }
    }
    // One plain file, without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(store_error)?;
    copy.close().map_err(|(_, error)| store_error(error))
}

fn publish(part: &Path, target: &Path) -> Result<(), StoreError> {
    File::open(part).and_then(|file| file.sync_all()).map_err(StoreError::unavailable)?;
    fs::rename(part, target).map_err(StoreError::unavailable)
}
