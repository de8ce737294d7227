//! Stores to test with, each in a schema of its own.

use std::sync::Arc;

use buildly_model::EventId;
use buildly_model::system::{Clock as _, System};
use buildly_storage_postgres::Postgres;
use buildly_unit::conformance::Commits;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Where the server is.
pub fn database_url() -> String {
    let default = || "postgres://postgres@127.0.0.1:5432/postgres".to_owned();
    std::env::var("BUILDLY_TEST_DATABASE_URL").unwrap_or_else(|_| default())
}

/// The name of a schema that is dropped with it.
pub struct Schema(pub String);

impl Schema {
    pub fn new() -> Self {
        Self(format!("test_{}", EventId::generate(System.now(), &System).as_uuid().simple()))
    }
}

impl Drop for Schema {
    /// On a thread of its own, since a test's runtime cannot be waited for here.
    fn drop(&mut self) {
        let sql = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.0);
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&database_url()).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            });
        });
        dropped.join().unwrap();
    }
}

/// An empty store of a test's own: `storage` has the read ports, `commits` is `Commit` for
/// the change of every area.
pub struct EmptyStore {
    pub storage: Arc<Postgres>,
    #[allow(dead_code, reason = "for the suites of the areas")]
    pub commits: Commits,
    #[allow(dead_code, reason = "goes with the store")]
    pub schema: Schema,
}

pub async fn open_empty_store() -> EmptyStore {
    let schema = Schema::new();
    let storage = Postgres::connect_in(&database_url(), &schema.0).await;
    let storage = Arc::new(storage.expect("a PostgreSQL server is needed; see `database_url`"));
    EmptyStore { commits: Commits(storage.clone()), storage, schema }
}
