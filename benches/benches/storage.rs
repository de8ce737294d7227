//! What is durable: commits, records, refreshed sessions, and sign-ins with a password.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use benches::commits::{self, Commits};
use benches::load::{Ask, measure};
use benches::ours::{Beginning, Database, Ours, PASSWORD};
use benches::peers::{BarePostgres, BareSqlite};
use benches::report::{Figure, Report};
use benches::sessions::refreshed;
use benches::{Failure, disk, settings, start};
use buildly_storage_postgres::Postgres;
use buildly_storage_sqlite::Sqlite;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

/// Callers at a time.
const AT_ONCE: [usize; 2] = [1, 64];
/// Passwords are hashed on two threads; more callers wait for them.
const SIGN_INS_AT_ONCE: usize = 2;
/// What a password costs, as `auth/identity/password.rs` sets it.
const ARGON2: &str = "argon2id, 19 MiB, 2 passes, 1 lane";

/// As the server has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    start::run_threaded(2, bench())
}

async fn bench() -> Result<(), Failure> {
    let mut report = Report::default();
    let sync = disk::sync_latency(&std::env::temp_dir())?;
    report.alone("fdatasync of 4 KiB on this disk", &sync.to_string());
    commits_on_sqlite(&mut report).await?;
    commits_on_postgres(&mut report).await?;
    for database in [Database::Sqlite, Database::Postgres] {
        let ours = Ours::begin(Beginning { database, people: None, has_one_core: false }).await?;
        ours.put("/gateway/rate-limits/", &json!({"principal": null})).await?;
        records(&mut report, &ours, database).await?;
        for at_once in AT_ONCE {
            let figure = refreshed(&ours, at_once, settings::seconds_each()).await?;
            report
                .alone(&format!("refresh tokens over HTTP, {at_once} at once, {database:?}"), &good(figure)?);
        }
        if database == Database::Sqlite {
            sign_ins(&mut report, &ours).await?;
        }
        ours.stop().await?;
    }
    report.end();
    Ok(())
}

fn good(figure: Figure) -> Result<String, Failure> {
    if figure.bad > 0 {
        return Err(Failure::Wrong { expected: "right answers only", got: figure.to_string() });
    }
    Ok(figure.to_string())
}

async fn commits_on_sqlite(report: &mut Report) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("buildly-bench-{}", uuid::Uuid::now_v7()));
    let storage = Arc::new(Sqlite::open(&folder).await.map_err(Failure::http)?);
    let ours: Arc<dyn Commits> = Arc::new(commits::Ours::over(storage.clone()).await?);
    let bare: Arc<dyn Commits> = Arc::new(BareSqlite::open()?);
    compare(report, "SQLite", &ours, BareSqlite::NAME, &bare).await?;
    storage.close().await;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn commits_on_postgres(report: &mut Report) -> Result<(), Failure> {
    let schema = format!("bench_{}", uuid::Uuid::now_v7().simple());
    let storage = Postgres::connect_in(&settings::postgres_url(), &schema).await.map_err(Failure::http)?;
    let ours: Arc<dyn Commits> = Arc::new(commits::Ours::over(Arc::new(storage.clone())).await?);
    let bare = Arc::new(BarePostgres::open(64).await?);
    let callers: Arc<dyn Commits> = bare.clone();
    compare(report, "PostgreSQL", &ours, BarePostgres::NAME, &callers).await?;
    buildly_unit::Storage::close(&storage).await;
    bare.remove().await?;
    let pool = sqlx::PgPool::connect(&settings::postgres_url()).await.map_err(Failure::http)?;
    let remove = format!("DROP SCHEMA \"{schema}\" CASCADE");
    sqlx::raw_sql(sqlx::AssertSqlSafe(remove)).execute(&pool).await.map(drop).map_err(Failure::http)
}

async fn compare(
    report: &mut Report,
    on: &str,
    ours: &Arc<dyn Commits>,
    peer: &str,
    theirs: &Arc<dyn Commits>,
) -> Result<(), Failure> {
    for at_once in AT_ONCE {
        let long = settings::seconds_each();
        let (ours, theirs) =
            (commits::measure(ours, at_once, long).await, commits::measure(theirs, at_once, long).await);
        good(ours.clone())?;
        good(theirs.clone())?;
        report.beside(
            &format!("commits of a row and its event, {at_once} at once, {on}"),
            &ours,
            peer,
            &theirs,
        );
    }
    Ok(())
}

/// Contacts made in the CRM service behind the gateway, by somebody who is signed in.
async fn records(report: &mut Report, ours: &Ours, database: Database) -> Result<(), Failure> {
    struct Create(String);
    impl Ask for Create {
        fn request(&self, number: u64) -> (String, Bytes) {
            let contact =
                json!({"name": format!("Contact {number}"), "email": format!("c{number}@example.org")});
            (self.0.clone(), Bytes::from(contact.to_string()))
        }
        fn is_right(&self, status: StatusCode, body: &[u8]) -> bool {
            let made: Value = serde_json::from_slice(body).unwrap_or_default();
            status == StatusCode::CREATED && made.get("id").is_some_and(Value::is_string)
        }
    }
    let _crm = ours.run_service("crm").await?;
    for at_once in AT_ONCE {
        let ask = Arc::new(Create(format!("{}/crm/contacts/", ours.url)));
        let figure = measure(&ours.client, ask, at_once, settings::seconds_each()).await;
        let name = format!("records created over HTTP, signed in, {at_once} at once, {database:?}");
        report.alone(&name, &good(figure)?);
    }
    Ok(())
}

async fn sign_ins(report: &mut Report, ours: &Ours) -> Result<(), Failure> {
    struct SignIn(String);
    impl Ask for SignIn {
        fn request(&self, _: u64) -> (String, Bytes) {
            (self.0.clone(), Bytes::from(json!({"username": "root", "password": PASSWORD}).to_string()))
        }
        fn is_right(&self, status: StatusCode, body: &[u8]) -> bool {
            let pair: Value = serde_json::from_slice(body).unwrap_or_default();
            status == StatusCode::OK && pair.get("access").is_some_and(Value::is_string)
        }
    }
    let ask = Arc::new(SignIn(format!("{}/token/", ours.url)));
    let figure = measure(&ours.client, ask, SIGN_INS_AT_ONCE, settings::seconds_each()).await;
    let name = format!("password sign-ins over HTTP, {SIGN_INS_AT_ONCE} at once, {ARGON2}");
    let bare = bare_hashes(settings::seconds_each())?;
    report.beside(&name, &figure, "the hash alone, one thread (package argon2)", &bare);
    good(figure).map(drop)
}

/// The same hash, with nothing around it.
fn bare_hashes(long: Duration) -> Result<Figure, Failure> {
    let (mut took, long) = (Vec::new(), long.as_secs_f64());
    let params = argon2::Params::new(19 * 1024, 2, 1, None);
    let params = params.map_err(|error| Failure::Wrong { expected: "parameters", got: error.to_string() })?;
    let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut seconds = 0.0;
    while seconds < long {
        let mut output = [0; 32];
        let began = tokio::time::Instant::now();
        hasher
            .hash_password_into(PASSWORD.as_bytes(), b"sixteen bytes of", &mut output)
            .map_err(|error| Failure::Wrong { expected: "a hash", got: error.to_string() })?;
        let one = std::hint::black_box(began).elapsed().as_secs_f64();
        seconds += one;
        took.push(one * 1e3);
    }
    Ok(Figure::of(took, 0, seconds))
}
