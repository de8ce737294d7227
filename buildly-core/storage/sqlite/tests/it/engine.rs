//! The engine: group commit, readers, and what it does when something fails.

use buildly_model::StoreError;
use buildly_storage_sqlite::engine::{Engine, Migration, Options, store_error};
use rusqlite::Connection;

use crate::support::Folder;

const MIGRATIONS: &[Migration] =
    &[Migration::new(1, "note", "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)")];

async fn open(folder: &Folder) -> Engine {
    Engine::open(folder.path().join("note.db"), MIGRATIONS).await.unwrap()
}

fn insert(tx: &Connection, text: &str) -> Result<(), StoreError> {
    tx.execute("INSERT INTO note (text) VALUES (?1)", [text]).map_err(store_error)?;
    Ok(())
}

async fn add(engine: &Engine, text: &str) -> Result<(), StoreError> {
    let text = text.to_owned();
    engine.write(move |tx| insert(tx, &text)).await
}

async fn notes(engine: &Engine) -> Vec<String> {
    engine
        .read(|tx| {
            let mut statement =
                tx.prepare_cached("SELECT text FROM note ORDER BY id").map_err(store_error)?;
            let rows = statement.query_map([], |row| row.get(0)).map_err(store_error)?;
            rows.collect::<Result<_, _>>().map_err(store_error)
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn a_refused_write_is_undone_alone() {
    let folder = Folder::new();
    let engine = open(&folder).await;
    add(&engine, "first").await.unwrap();
    let refused = engine
        .write(|tx| {
            insert(tx, "half")?;
            insert(tx, "first")
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Taken { .. })), "{refused:?}");
    add(&engine, "second").await.unwrap();
    assert_eq!(notes(&engine).await, ["first", "second"]);
}

#[tokio::test]
async fn writes_that_wait_are_committed_together() {
    let folder = Folder::new();
    let engine = open(&folder).await;
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let first = tokio::spawn({
        let engine = engine.clone();
        async move { engine.write(move |_| held.recv().map_err(StoreError::unavailable)).await }
    });
    let waiting: Vec<_> = (0..20)
        .map(|number| {
            let engine = engine.clone();
            tokio::spawn(async move { add(&engine, &number.to_string()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    hold.send(()).unwrap();
    first.await.unwrap().unwrap();
    for write in waiting {
        write.await.unwrap().unwrap();
    }
    assert_eq!(notes(&engine).await.len(), 20);
    let batches = *engine.commits().borrow();
    assert!(batches <= 3, "21 writes took {batches} commits");
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_threads_go_on() {
    let folder = Folder::new();
    let engine = open(&folder).await;
    let written = engine
        .write(|tx| {
            insert(tx, "half")?;
            if tx.is_busy() { Ok(()) } else { panic!("a mistake") }
        })
        .await;
    assert!(
        matches!(&written, Err(StoreError::Corrupt { reason }) if reason.contains("a mistake")),
        "{written:?}"
    );
    for _ in 0..10 {
        let read: Result<(), _> = engine.read(|_| panic!("another mistake")).await;
        assert!(matches!(read, Err(StoreError::Corrupt { .. })), "{read:?}");
    }
    add(&engine, "whole").await.unwrap();
    assert_eq!(notes(&engine).await, ["whole"]);
}

#[tokio::test]
async fn a_write_that_ends_the_transaction_itself_fails_and_the_writer_goes_on() {
    let folder = Folder::new();
    let engine = open(&folder).await;
    let written = engine.write(|tx| tx.execute_batch("ROLLBACK").map_err(store_error)).await;
    assert!(matches!(written, Err(StoreError::Unavailable { .. })), "{written:?}");
    add(&engine, "next").await.unwrap();
    assert_eq!(notes(&engine).await, ["next"]);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let folder = Folder::new();
    let engine = open(&folder).await;
    let written = engine.read(|tx| insert(tx, "sneaked in")).await;
    assert!(matches!(written, Err(StoreError::Unavailable { .. })), "{written:?}");
    assert!(notes(&engine).await.is_empty());
}

#[tokio::test]
async fn a_full_disk_is_said_and_passes() {
    let folder = Folder::new();
    let path = folder.path().join("note.db");
    let options = Options { pages_max: Some(16), ..Options::default() };
    let engine = Engine::open_with(&path, MIGRATIONS, options).await.unwrap();
    let page = |number: usize| format!("{number} {}", "x".repeat(4000));
    let mut written = 0;
    let error = loop {
        match add(&engine, &page(written)).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the file is full some time");
    };
    assert!(matches!(error, StoreError::Unavailable { .. }) && error.to_string().contains("full"), "{error}");
    assert_eq!(notes(&engine).await.len(), written, "what was acknowledged is there");
    let deleted =
        engine.write(|tx| tx.execute("DELETE FROM note WHERE id <= 4", []).map_err(store_error)).await;
    assert_eq!(deleted.unwrap(), 4);
    add(&engine, &page(1000)).await.expect("there is room again");
    engine.close().await;

    let engine = Engine::open(&path, MIGRATIONS).await.unwrap();
    assert_eq!(notes(&engine).await.len(), written - 3, "and it stays there");
}

#[tokio::test]
async fn a_closed_engine_has_written_everything_and_refuses_more() {
    let folder = Folder::new();
    let engine = open(&folder).await;
    let waiting: Vec<_> = (0..50)
        .map(|number| {
            let engine = engine.clone();
            tokio::spawn(async move { add(&engine, &number.to_string()).await })
        })
        .collect();
    let mut acknowledged = 0;
    tokio::task::yield_now().await;
    engine.close().await;
    for write in waiting {
        acknowledged += usize::from(write.await.unwrap().is_ok());
    }
    let refused = add(&engine, "late").await;
    assert!(
        matches!(&refused, Err(StoreError::Unavailable { reason, .. }) if reason.contains("closed")),
        "{refused:?}"
    );
    assert!(acknowledged > 0);
    assert_eq!(notes(&open(&folder).await).await.len(), acknowledged);
}

#[tokio::test]
async fn what_is_no_database_or_newer_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("note.db"), "x".repeat(5000)).unwrap();
    let error = Engine::open(folder.path().join("note.db"), MIGRATIONS).await.err().unwrap();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    std::fs::remove_file(folder.path().join("note.db")).unwrap();

    let newer = [MIGRATIONS[0].clone(), Migration::new(2, "later", "CREATE TABLE later (id INTEGER)")];
    Engine::open(folder.path().join("note.db"), &newer).await.unwrap().close().await;
    let error = Engine::open(folder.path().join("note.db"), MIGRATIONS).await.err().unwrap();
    assert!(error.to_string().contains("at least as new"), "{error}");
    let error = Engine::open_read_only(folder.path().join("note.db"), MIGRATIONS).await.err().unwrap();
    assert!(error.to_string().contains("at least as new"), "{error}");
}
