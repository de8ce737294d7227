//! `kill -9` under load.

use std::sync::Arc;

use buildly_storage_sqlite::Sqlite;
use buildly_unit::Storage;
use buildly_unit::conformance::crash;

use crate::support::Folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_units_survive_kill_9() {
    if let Some(folder) = crash::victim() {
        let storage: Arc<dyn Storage> = Arc::new(Sqlite::open(folder).await.unwrap());
        return crash::write_until_killed(&storage).await;
    }
    let folder = Folder::new();
    let place = folder.path().to_str().unwrap();
    let mut promises = Vec::new();
    for _ in 0..crash::rounds() {
        promises.extend(crash::kill_while_writing("crash::acknowledged_units_survive_kill_9", place));
        let storage: Arc<dyn Storage> = Arc::new(Sqlite::open(folder.path()).await.unwrap());
        crash::promises_are_kept(&storage, &promises).await;
        storage.close().await;
    }
}
