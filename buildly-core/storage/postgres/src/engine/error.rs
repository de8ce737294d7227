//! The one place where PostgreSQL's errors become ours.

use buildly_model::StoreError;
use sqlx::Error;

/// The one place where PostgreSQL's errors become ours.
///
/// A unique value that is taken becomes `Taken` without saying which; use [`unique`] where a
/// caller can do something about it. A broken foreign key becomes `Missing`.
#[must_use]
pub fn store_error(error: Error) -> StoreError {
    match &error {
        Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            match code.as_ref() {
                "23505" => StoreError::Taken { field: "value" },
                "23503" => StoreError::Missing { what: "related row" },
                "53100" => with_source("the disk of the database is full; make room and try again", error),
                "53300" => with_source("the database takes no more connections", error),
                "55P03" | "57014" => with_source("the database is busy for too long", error),
                // Integrity, wrong data, wrong statements, damage: trying again changes nothing.
                code if ["22", "23", "42", "XX"].iter().any(|class| code.starts_with(class)) => {
                    StoreError::corrupt(format!("{} ({code})", database.message()))
                }
                _ => StoreError::unavailable(error),
            }
        }
        Error::RowNotFound => StoreError::Missing { what: "row" },
        Error::ColumnDecode { .. }
        | Error::Decode(_)
        | Error::Encode(_)
        | Error::ColumnNotFound(_)
        | Error::ColumnIndexOutOfBounds { .. }
        | Error::TypeNotFound { .. } => StoreError::corrupt(error.to_string()),
        Error::PoolTimedOut => {
            with_source("the database does not answer, or all connections are in use", error)
        }
        _ => StoreError::unavailable(error),
    }
}

/// As [`store_error`], naming the value that is taken: `fields` pairs the name of a unique
/// constraint or index with the area's name for what must be unique.
///
/// A table's `username text UNIQUE` has the constraint `user_username_key` by default;
/// `CREATE UNIQUE INDEX user_username …` is called as it says.
#[must_use]
pub fn unique(error: Error, fields: &[(&str, &'static str)]) -> StoreError {
    let field = match &error {
        Error::Database(database) if database.is_unique_violation() => {
            fields.iter().find(|(name, _)| database.constraint() == Some(*name))
        }
        _ => None,
    };
    match field {
        Some((_, field)) => StoreError::Taken { field },
        None => store_error(error),
    }
}

/// What an error means for the transaction that it came up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// What was asked is refused; the connection is well.
    Refused,
    /// Two transactions were in each other's way; try again.
    Conflict,
    /// The connection is gone or in an unknown state.
    Lost,
}

pub(crate) fn trouble(error: &StoreError) -> Trouble {
    let StoreError::Unavailable { source, .. } = error else { return Trouble::Refused };
    match source.as_ref().and_then(|source| source.downcast_ref::<Error>()) {
        Some(Error::Database(database)) => match database.code().unwrap_or_default().as_ref() {
            "40001" | "40P01" => Trouble::Conflict,
            // A lock that is not given for so long will not be given to the next unit either.
            "55P03" => Trouble::Lost,
            code if code.starts_with("57P") || code.starts_with("08") => Trouble::Lost,
            _ => Trouble::Refused,
        },
        _ => Trouble::Lost,
    }
}

fn with_source(reason: &str, error: Error) -> StoreError {
    StoreError::Unavailable { reason: reason.to_owned(), source: Some(Box::new(error)) }
}
