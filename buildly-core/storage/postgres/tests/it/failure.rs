//! The database goes away and comes back; a dump is restored elsewhere.

use std::sync::Arc;
use std::time::Duration;

use buildly_journal::{Chain, Feed as _, FeedPosition, History as _, Part};
use buildly_model::{Revision, StoreError};
use buildly_storage_postgres::Postgres;
use buildly_unit::conformance::event;
use buildly_unit::{Committer as _, Unit};
use sqlx::{Connection as _, PgConnection};

use crate::support::{Schema, database_url, open_empty_store};

const PATIENCE: Duration = Duration::from_secs(20);

async fn write(storage: &Postgres, subject: &str) -> Result<Revision, StoreError> {
    let part = Part::of_all(None, vec![], vec![event("test.thing.made", subject)]);
    storage.commit(Unit { parts: vec![part] }).await
}

async fn verify(storage: &Postgres) -> u64 {
    let mut chain = Chain::empty(None);
    for event in storage.events(None, 0, 10_000).await.unwrap() {
        chain.verify(&event).unwrap();
    }
    assert_eq!(chain, storage.head(None).await.unwrap());
    chain.sequence
}

/// Ends every connection of one store, as a restart of the database does.
async fn end_connections(storage: &Postgres) -> i64 {
    let mut admin = PgConnection::connect(&database_url()).await.unwrap();
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
    sqlx::query_scalar(sql)
        .bind(format!("buildly {}", storage.engine().schema()))
        .fetch_one(&mut admin)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_are_made_again() {
    let opened = open_empty_store().await;
    let storage = &opened.storage;
    write(storage, "before").await.unwrap();
    assert_eq!(verify(storage).await, 1);
    for round in 1..=5 {
        assert!(end_connections(storage).await > 0);
        write(storage, "after").await.expect("an idle connection that died is not noticed");
        let read = async {
            while storage.head(None).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("reading works again");
        assert_eq!(verify(storage).await, 1 + round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_lost_under_load_lose_nothing_acknowledged() {
    let opened = open_empty_store().await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let storage = Arc::clone(&opened.storage);
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for number in 0..200 {
                    let subject = format!("{writer} {number}");
                    match write(&storage, &subject).await {
                        Ok(_) => acknowledged.push(subject),
                        Err(StoreError::Unavailable { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                acknowledged
            })
        })
        .collect();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        end_connections(&opened.storage).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    write(&opened.storage, "last").await.expect("it goes on afterwards");
    verify(&opened.storage).await;
    let stored: Vec<String> = opened
        .storage
        .events(None, 0, 10_000)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.subject)
        .collect();
    assert!(!acknowledged.is_empty());
    for subject in acknowledged {
        let count = stored.iter().filter(|stored| **stored == subject).count();
        assert_eq!(count, 1, "{subject} was acknowledged");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_said_quickly() {
    for (case, url) in [
        ("nobody listens", "postgres://postgres@127.0.0.1:1/postgres"),
        ("nobody answers", "postgres://postgres@192.0.2.1:5432/postgres"),
        ("no URL", "somewhere"),
    ] {
        let connected = tokio::time::timeout(PATIENCE, Postgres::connect(url)).await.expect(case);
        let error = connected.err().expect(case);
        assert!(matches!(error, StoreError::Unavailable { .. }), "{case}: {error}");
    }
    let error = Postgres::connect_in(&database_url(), "Robert'; DROP TABLE").await.err().unwrap();
    assert!(error.to_string().contains("small letters"), "{error}");
}

#[tokio::test]
async fn a_journal_restored_from_another_cluster_is_followed() {
    let schema = Schema::new();
    let storage = Postgres::connect_in(&database_url(), &schema.0).await.unwrap();
    write(&storage, "one").await.unwrap();
    write(&storage, "two").await.unwrap();
    // The other cluster was far ahead.
    let moved = sqlx::query("UPDATE journal SET transaction_id = '9000000000000000'");
    moved.execute(storage.engine().pool()).await.unwrap();
    storage.close().await;

    let storage = Postgres::connect_in(&database_url(), &schema.0).await.unwrap();
    let revision = write(&storage, "three").await.unwrap();
    let read = async {
        loop {
            let page = storage.read_feed(FeedPosition::default(), 10).await.unwrap();
            if page.complete_to >= revision {
                break page.events;
            }
        }
    };
    let events = tokio::time::timeout(PATIENCE, read).await.unwrap();
    let subjects: Vec<&str> = events.iter().map(|event| event.subject.as_str()).collect();
    assert_eq!(subjects, ["one", "two", "three"]);
    assert_eq!(verify(&storage).await, 3);
}
