//! Two versions of the program on one schema.

use std::time::Duration;

use buildly_model::StoreError;
use buildly_storage_postgres::engine::{Engine, Migration};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::Instant;

use crate::support::{Schema, database_url};

const PATIENCE: Duration = Duration::from_secs(60);

const BEFORE: &[Migration] = &[Migration::new(1, "thing", "CREATE TABLE thing (number bigint)")];

const AFTER: &[Migration] = &[
    Migration::new(1, "thing", "CREATE TABLE thing (number bigint)"),
    Migration::new(2, "name", "ALTER TABLE thing ADD COLUMN name text"),
];

async fn start(schema: &Schema, migrations: &[Migration]) -> Result<Engine, StoreError> {
    Engine::connect(&database_url(), &schema.0, migrations).await
}

async fn write(engine: &Engine) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("INSERT INTO thing (number) VALUES (1)").execute(engine.pool()).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_runs_goes_on_and_one_that_starts_beside_a_newer_schema_is_refused() {
    let schema = Schema::new();
    let old = start(&schema, BEFORE).await.unwrap();
    write(&old).await.unwrap();
    let new = start(&schema, AFTER).await.unwrap();
    write(&old).await.expect("it knows nothing of the new column, and need not");
    let refused = start(&schema, BEFORE).await.err().expect("an older program is not let in");
    let sentence = refused.to_string();
    for part in ["migration 2 (name)", "up to 1 only", "at least as new"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    for engine in [old, new] {
        engine.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_that_start_at_once_end_with_the_newer_schema() {
    for _ in 0..5 {
        let schema = Schema::new();
        let (old, one, other) =
            tokio::join!(start(&schema, BEFORE), start(&schema, AFTER), start(&schema, AFTER));
        if let Err(error) = old {
            assert!(error.to_string().contains("at least as new"), "{error}");
        }
        for new in [one, other] {
            new.expect("the newer one starts in any order").close().await;
        }
        start(&schema, AFTER).await.unwrap().close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_waits_for_a_table_lets_others_at_it() {
    let schema = Schema::new();
    let old = start(&schema, BEFORE).await.unwrap();
    let mut long = PgConnection::connect(&database_url()).await.unwrap();
    let begin = format!("SET search_path TO {}; BEGIN; SELECT count(*) FROM thing", schema.0);
    sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut long).await.unwrap();

    let migrating = tokio::spawn({
        let (url, schema) = (database_url(), schema.0.clone());
        async move { Engine::connect(&url, &schema, AFTER).await.map(drop) }
    });
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    while began.elapsed() < Duration::from_secs(6) {
        let asked = Instant::now();
        write(&old).await.expect("the old version serves");
        longest = longest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(longest < Duration::from_secs(4), "a request queued for {longest:?}");
    assert!(!migrating.is_finished(), "the table is in use");
    sqlx::raw_sql("COMMIT").execute(&mut long).await.unwrap();
    let migrated = tokio::time::timeout(PATIENCE, migrating).await.expect("it gets its turn");
    migrated.unwrap().unwrap();
    old.close().await;
}
