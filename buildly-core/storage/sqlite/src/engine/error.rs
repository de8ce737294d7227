//! The one place where SQLite's errors become ours.

use buildly_model::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

const UNIQUE_PREFIX: &str = "UNIQUE constraint failed: ";

/// The one place where SQLite's errors become ours.
///
/// A unique value that is taken becomes `Taken` without saying which; use [`unique`] where a
/// caller can do something about it. A broken foreign key becomes `Missing`.
#[must_use]
pub fn store_error(error: Error) -> StoreError {
    match &error {
        Error::SqliteFailure(code, message) => match (code.code, code.extended_code) {
            (_, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
                StoreError::Taken { field: "value" }
            }
            (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => StoreError::Missing { what: "related row" },
            (ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch, _) => {
                StoreError::corrupt(message.clone().unwrap_or_else(|| error.to_string()))
            }
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => {
                StoreError::corrupt("the file is damaged or is no database; restore a backup")
            }
            _ => StoreError::Unavailable { reason: reason(&error), source: Some(Box::new(error)) },
        },
        Error::QueryReturnedNoRows => StoreError::Missing { what: "row" },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..)
        | Error::InvalidColumnType(..) => StoreError::corrupt(error.to_string()),
        _ => StoreError::unavailable(error),
    }
}

/// As [`store_error`], naming the value that is taken.
///
/// `fields` pairs what must be unique with the area's name for it. SQLite names the columns
/// of a broken unique index as `table.column`, so an index over several columns is found by
/// any of them; an index over an expression is named itself.
///
/// ```
/// use buildly_storage_sqlite::engine::unique;
/// # let connection = rusqlite::Connection::open_in_memory().unwrap();
/// # connection.execute_batch("CREATE TABLE user (name TEXT UNIQUE); INSERT INTO user VALUES ('ada')").unwrap();
/// let error = connection.execute("INSERT INTO user VALUES ('ada')", []).unwrap_err();
/// let error = unique(error, &[("user.name", "username"), ("user_email_lower", "email")]);
/// assert_eq!(error.to_string(), "`username` is taken already");
/// ```
#[must_use]
pub fn unique(error: Error, fields: &[(&str, &'static str)]) -> StoreError {
    if let Error::SqliteFailure(_, Some(message)) = &error
        && let Some(broken) = message.strip_prefix(UNIQUE_PREFIX)
    {
        let index = broken.strip_prefix("index '").and_then(|name| name.strip_suffix('\''));
        let is_broken = |name: &str| index == Some(name) || broken.split(", ").any(|column| column == name);
        if let Some((_, field)) = fields.iter().find(|(name, _)| is_broken(name)) {
            return StoreError::Taken { field };
        }
    }
    store_error(error)
}

/// A sentence for the operator.
pub(super) fn reason(error: &Error) -> String {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            "the disk is full, or the file has reached its size limit; make room and try again".to_owned()
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process keeps the file locked; try again".to_owned()
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "the file or its folder may not be written to".to_owned()
        }
        _ => error.to_string(),
    }
}
