//! The PostgreSQL engine: pool, migrations, batches of units.

use buildly_model::StoreError;
use sqlx::PgPool;

/// A schema of a database that is open; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pool: PgPool,
}

impl Engine {
    /// The pool; every connection has the deployment's schema as its search path.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }
}

/// The one place where PostgreSQL's errors become ours.
#[must_use]
pub fn store_error(error: sqlx::Error) -> StoreError {
    StoreError::unavailable(error)
}
