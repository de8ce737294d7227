//! The data folder: one process, copies while it is in use, reading without touching.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use buildly_journal::{Broken, Chain, History as _, Part};
use buildly_model::StoreError;
use buildly_storage_sqlite::{DATABASE_FILE, Sqlite};
use buildly_unit::conformance::{event, organization};
use buildly_unit::{Committer as _, Unit};

use crate::support::{EmptyStore, Folder, open_empty_store};

const SECOND: &str = "BUILDLY_SECOND_PROCESS";

async fn write(storage: &Sqlite, count: usize) {
    for number in 0..count {
        let part = Part::of_all(None, vec![], vec![event("test.thing.made", &number.to_string())]);
        storage.commit(Unit { parts: vec![part] }).await.unwrap();
    }
}

async fn verify(storage: &Sqlite) -> Result<u64, Broken> {
    let mut chain = Chain::empty(None);
    for event in storage.events(None, 0, 10_000).await.unwrap() {
        chain.verify(&event)?;
    }
    assert_eq!(chain, storage.head(None).await.unwrap());
    Ok(chain.sequence)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_told_who_has_the_folder() {
    if let Ok(folder) = std::env::var(SECOND) {
        let error = Sqlite::open(folder).await.err().expect("the first process has it");
        println!("refused: {error}");
        return;
    }
    let first = open_empty_store().await;
    let second = Command::new(std::env::current_exe().unwrap())
        .args(["folder::a_second_process_is_told_who_has_the_folder", "--exact", "--nocapture"])
        .env(SECOND, first.folder.path())
        .output()
        .unwrap();
    let output = String::from_utf8(second.stdout).unwrap();
    let expected = format!("in use by process {};", std::process::id());
    assert!(second.status.success() && output.contains("refused: "), "{output}");
    assert!(output.contains(&expected) && output.contains("PostgreSQL"), "{output}");
    write(&first.storage, 1).await;
}

#[tokio::test]
async fn a_folder_is_free_again_once_it_is_closed() {
    let first = open_empty_store().await;
    let error = Sqlite::open(first.folder.path()).await.err().unwrap();
    assert!(matches!(&error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("this process already"), "{error}");
    first.storage.close().await;
    Sqlite::open(first.folder.path()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_live_folder_is_whole_and_consistent() {
    let EmptyStore { storage, folder, .. } = open_empty_store().await;
    write(&storage, 200).await;
    let writer = tokio::spawn({
        let storage = Arc::clone(&storage);
        async move { write(&storage, 200).await }
    });
    let target = folder.path().join("copy.db");
    storage.backup(&target).await.unwrap();
    writer.await.unwrap();

    let copy = Sqlite::open_read_only(&target).await.unwrap();
    let count = verify(&copy).await.unwrap();
    assert!((200..=400).contains(&count), "{count} events in the copy");
    let error = storage.backup(&target).await.unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // The copy is a folder's file like any other.
    let restored = Folder::new();
    std::fs::copy(&target, restored.path().join(DATABASE_FILE)).unwrap();
    let restored_storage = Sqlite::open(restored.path()).await.unwrap();
    write(&restored_storage, 1).await;
    assert_eq!(verify(&restored_storage).await.unwrap(), count + 1);
}

#[tokio::test]
async fn reading_only_works_beside_a_server_and_changes_nothing() {
    let EmptyStore { storage, folder, .. } = open_empty_store().await;
    write(&storage, 3).await;
    let beside = Sqlite::open_read_only(folder.path()).await.unwrap();
    assert_eq!(verify(&beside).await.unwrap(), 3);
    write(&storage, 1).await;
    assert_eq!(verify(&beside).await.unwrap(), 4, "it reads what is there now");
    let part = Part::of_all(organization(), vec![], vec![event("test.thing.made", "sneaked in")]);
    let refused = beside.commit(Unit { parts: vec![part] }).await;
    assert!(
        matches!(&refused, Err(StoreError::Unavailable { reason, .. }) if reason.contains("reading only"))
    );
    beside.close().await;
    storage.close().await;

    let file = folder.path().join(DATABASE_FILE);
    let before = std::fs::read(&file).unwrap();
    let offline = Sqlite::open_read_only(&file).await.unwrap();
    assert_eq!(verify(&offline).await.unwrap(), 4);
    offline.close().await;
    assert!(std::fs::read(&file).unwrap() == before, "the file is the same, byte by byte");
    assert!(Sqlite::open_read_only(folder.path().join("nowhere")).await.is_err());
}

#[tokio::test]
async fn one_changed_byte_in_a_copy_is_found() {
    let EmptyStore { storage, folder, .. } = open_empty_store().await;
    write(&storage, 9).await;
    let copy = folder.path().join("copy.db");
    storage.backup(&copy).await.unwrap();
    change_one_byte(&copy, br#"{"subject":"4"}"#);
    let broken = verify(&Sqlite::open_read_only(&copy).await.unwrap()).await.unwrap_err();
    assert_eq!((broken.sequence, broken.reason), (5, "has a payload that was changed"));
    assert_eq!(verify(&storage).await.unwrap(), 9, "the original holds");
}

fn change_one_byte(file: &Path, payload: &[u8]) {
    let mut bytes = std::fs::read(file).unwrap();
    let place = bytes.windows(payload.len()).position(|window| window == payload).unwrap();
    bytes[place + payload.len() - 3] = b'5';
    std::fs::write(file, bytes).unwrap();
}
