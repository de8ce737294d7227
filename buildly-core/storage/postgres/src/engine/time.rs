//! How long an answer of the database is waited for.
//!
//! A connection may hang without an end: a server that is stopped, a firewall that forgot it. The
//! database's own limits do not help then. Whoever gives up waiting drops the connection, and the
//! pool tries it before it is used again.

use std::time::Duration;

use buildly_model::StoreError;

use super::{store_error, unavailable};

/// How long a read for a request, or of a part of the state, may take.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits for one statement.
pub(crate) async fn ask<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    in_time(async { asked.await.map_err(store_error) }).await
}

/// Waits for a read of any number of statements.
pub(crate) async fn in_time<T>(
    reading: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    within(READ_TIMEOUT, reading).await
}

/// Waits for no longer than `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(unavailable("the database did not answer in time")),
    }
}
