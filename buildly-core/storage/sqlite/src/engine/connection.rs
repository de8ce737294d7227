//! Connections and their settings.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How long a connection waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How many prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 256;
/// The write-ahead log is cut back to this many bytes after a checkpoint.
const LOG_BYTES_MAX: i64 = 64 << 20;
/// The page cache of the writer and of each reader, in KiB (SQLite counts these negative).
const WRITER_CACHE_KIB: i64 = -16_384;
const READER_CACHE_KIB: i64 = -4096;

/// The connection of the writer: makes the file if there is none.
pub(super) fn open_writer(path: &Path, pages_max: Option<u32>) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN);
        let reason = "this file system cannot hold a write-ahead log; use a local disk, or PostgreSQL";
        return Err(rusqlite::Error::SqliteFailure(code, Some(reason.to_owned())));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
    if let Some(pages) = pages_max {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(connection)
}

/// A connection of a reader beside the writer.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", READER_CACHE_KIB)?;
    Ok(connection)
}

/// A connection that cannot write, also to a file that nobody may write to.
pub(super) fn open_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let normal = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|connection| probe(&connection).map(|()| connection));
    let log = path.with_file_name({
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push("-wal");
        name
    });
    match normal {
        // Without a log nobody has the file open, so that reading it as unchanging is safe:
        // the way in when the folder cannot be written to either.
        Err(rusqlite::Error::SqliteFailure(code, _))
            if code.code == rusqlite::ErrorCode::CannotOpen && path.exists() && !log.exists() =>
        {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let connection = open(Path::new(&immutable_uri(path)), flags)?;
            probe(&connection).map(|()| connection)
        }
        other => other,
    }
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// SQLite opens a file at the first read only.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

fn immutable_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    for character in path.to_string_lossy().chars() {
        match character {
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            '%' => uri.push_str("%25"),
            other => uri.push(other),
        }
    }
    uri.push_str("?immutable=1");
    uri
}
