//! A session that is ended while another node prolongs it.

use std::time::Duration;

use buildly_auth::token::{AccessToken, Change, Session, Store as _};
use buildly_journal::Part;
use buildly_model::system::{Clock as _, System};
use buildly_model::{SessionId, StoreError, Timestamp, TokenId};
use buildly_storage_postgres::Postgres;
use buildly_unit::conformance::event;
use buildly_unit::{Committer as _, Unit};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::support::{database_url, open_empty_store};

const PATIENCE: Duration = Duration::from_secs(20);

fn at(second: u64) -> Timestamp {
    Timestamp::EPOCH.after(Duration::from_secs(second))
}

async fn commit(storage: &Postgres, change: Change) -> Result<(), StoreError> {
    let change = buildly_unit::Change::Auth(change.into());
    let part = Part::of(None, change, event("auth.test.happened", "test"));
    storage.commit(Unit { parts: vec![part] }).await.map(drop)
}

/// What a refresh on another node writes, in a transaction that is still open.
async fn prolong(schema: &str, session: SessionId, until: Timestamp) -> PgConnection {
    let mut other = PgConnection::connect(&database_url()).await.unwrap();
    let until = until.as_microseconds();
    let sql = format!(
        "BEGIN; SET LOCAL search_path TO {schema};
         UPDATE session SET ends_at = {until} WHERE id = '{session}' AND revoked_at IS NULL;
         INSERT INTO access_token (id, session_id, issued_at, expires_at)
         VALUES (gen_random_uuid(), '{session}', 0, {until});"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut other).await.unwrap();
    other
}

/// Until somebody waits for the transaction of `other`.
async fn somebody_waits(other: &mut PgConnection) {
    const WAITS: &str = "
        SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid)";
    let waits =
        async { while !sqlx::query_scalar::<_, bool>(WAITS).fetch_one(&mut *other).await.unwrap() {} };
    tokio::time::timeout(PATIENCE, waits).await.expect("the row is locked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ended_while_it_is_prolonged_stays_ended_until_its_last_token_ends() {
    let opened = open_empty_store().await;
    let storage = opened.storage.clone();
    let session = Session {
        id: SessionId::generate(System.now(), &System),
        organization: None,
        user: None,
        application: None,
        credential_version: 0,
        started_at: at(100),
        revoked_at: None,
    };
    let id = TokenId::generate(System.now(), &System);
    let access = AccessToken { id, number: 0, issued_at: at(100), expires_at: at(200) };
    let started = Change::SessionStarted { session: session.clone(), access, refresh: None };
    commit(&storage, started).await.unwrap();

    let mut other = prolong(&opened.schema.0, session.id, at(900)).await;
    let revoking = tokio::spawn({
        let (storage, revoked) =
            (storage.clone(), Change::SessionRevoked { session: session.id, at: at(150) });
        async move { commit(&storage, revoked).await }
    });
    somebody_waits(&mut other).await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    revoking.await.unwrap().unwrap();

    for (before, expected) in [(at(900), vec![session.id]), (at(901), vec![])] {
        commit(&storage, Change::SessionsForgotten { before, sessions_max: 10 }).await.unwrap();
        assert_eq!(storage.revoked_sessions().await.unwrap(), expected, "before {before}");
    }
}
