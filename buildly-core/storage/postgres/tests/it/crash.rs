//! `kill -9` under load.

use std::sync::Arc;

use buildly_storage_postgres::Postgres;
use buildly_unit::Storage;
use buildly_unit::conformance::crash;

use crate::support::{Schema, database_url};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_units_survive_kill_9() {
    if let Some(schema) = crash::victim() {
        let storage = Postgres::connect_in(&database_url(), &schema).await.unwrap();
        let storage: Arc<dyn Storage> = Arc::new(storage);
        return crash::write_until_killed(&storage).await;
    }
    let schema = Schema::new();
    let mut promises = Vec::new();
    for _ in 0..crash::rounds() {
        promises.extend(crash::kill_while_writing("crash::acknowledged_units_survive_kill_9", &schema.0));
        let storage = Postgres::connect_in(&database_url(), &schema.0).await.unwrap();
        let storage: Arc<dyn Storage> = Arc::new(storage);
        crash::promises_are_kept(&storage, &promises).await;
        storage.close().await;
    }
}
