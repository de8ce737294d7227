//! For the tests of services: a service in this process, on a database of its own of either
//! kind, asked by people of two organizations.
//!
//! A case gets a [`Client`] and states one promise; [`crate::on_both_databases!`] runs it on
//! a SQLite file and on PostgreSQL.
#![expect(clippy::expect_used, clippy::panic, reason = "tests report by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use buildly_model::{Body, Identity, OrganizationId, Principal, UserId};
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use sqlx::Executor as _;
use uuid::Uuid;

use crate::{Authenticate, Caller, DatabaseAddress, Declaration, Error, Service, Settings};

const DATABASE_URL: &str = "postgres://postgres@127.0.0.1:5432/postgres";
const BODY_BYTES_MAX: usize = 64 << 20;

/// Somebody who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// The organization that they belong to.
    pub organization: Uuid,
    /// Who they are.
    pub user: Uuid,
}

/// A member of the first organization.
pub const ADA: Person = Person { organization: Uuid::from_u128(0xACE), user: Uuid::from_u128(0xADA) };
/// Another member of the first organization.
pub const BEN: Person = Person { organization: Uuid::from_u128(0xACE), user: Uuid::from_u128(0xBE) };
/// A third member of the first organization.
pub const CLEO: Person = Person { organization: Uuid::from_u128(0xACE), user: Uuid::from_u128(0xC1E0) };
/// A member of another organization.
pub const ZED: Person = Person { organization: Uuid::from_u128(0x610), user: Uuid::from_u128(0x2ED) };

/// Asks a service in this process; cheap to clone.
#[derive(Clone)]
pub struct Client {
    /// The service.
    pub service: Service,
    /// A folder of its own.
    pub folder: PathBuf,
    /// Where its records are.
    pub database: DatabaseAddress,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as JSON, or null.
    pub body: Value,
}

/// Believes what the headers of [`Client::send`] say.
struct ByHeader;

#[async_trait]
impl Authenticate for ByHeader {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, Error> {
        let id = |name: &str| Uuid::parse_str(headers.get(name)?.to_str().ok()?).ok();
        let (Some(organization), Some(user)) = (id("organization"), id("user")) else {
            return Err(Error::Unauthenticated("Who are you?"));
        };
        let organization = OrganizationId::from_uuid(organization);
        let identity = Identity::User(UserId::from_uuid(user));
        let principal = Principal { identity, organization: Some(organization), ..Principal::ANONYMOUS };
        Ok(Caller { principal, organization })
    }
}

impl Client {
    /// Opens a service on a database.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn open(declaration: Declaration, database: DatabaseAddress, folder: &Path) -> Self {
        let settings = Settings::new(database.clone(), Arc::new(ByHeader));
        let service = declaration.open(settings).await.expect("the service opens");
        Self { service, folder: folder.to_owned(), database }
    }

    /// Sends a request.
    ///
    /// # Panics
    /// If it is none, or its answer cannot be read.
    pub async fn send(
        &self,
        person: Person,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("organization", person.organization.to_string())
            .header("user", person.user.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let (parts, body) = self.service.handle(request).await.into_parts();
        let bytes = body.collect(BODY_BYTES_MAX).await.expect("a body").to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, bytes, body }
    }

    /// Reads.
    pub async fn get(&self, person: Person, path: &str) -> Answer {
        self.send(person, Method::GET, path, &[], "").await
    }

    /// Sends a JSON body.
    pub async fn write(&self, person: Person, method: Method, path: &str, body: Value) -> Answer {
        self.send(person, method, path, &[], body.to_string()).await
    }

    /// Makes a record: its id.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn make(&self, person: Person, list: &str, body: Value) -> String {
        self.write(person, Method::POST, list, body).await.expect(201).id()
    }
}

impl Answer {
    /// The answer, if it has this status.
    ///
    /// # Panics
    /// If it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// The member `id` of the body.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    #[must_use]
    pub fn id(&self) -> String {
        let id = self.body.get("id").and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("no id in {}", self.body)).to_owned()
    }

    /// A header's value; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// One member of each record of a page.
    ///
    /// # Panics
    /// If it is no page.
    #[track_caller]
    #[must_use]
    pub fn each(&self, member: &str) -> Vec<String> {
        let rows = self.body.get("results").and_then(Value::as_array);
        let rows = rows.unwrap_or_else(|| panic!("no page: {}", self.body));
        let text = |row: &Value| match row.get(member) {
            Some(Value::String(text)) => text.clone(),
            other => other.map(Value::to_string).unwrap_or_default(),
        };
        rows.iter().map(text).collect()
    }
}

/// Every operation that a document has, such as `GET /things/`, in order.
#[must_use]
pub fn operations(document: &Value) -> Vec<String> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let mut operations: Vec<String> = paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flat_map(|item| item.keys());
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    operations.sort_unstable();
    operations
}

/// Runs a case on a SQLite file in a new folder below `folder`.
///
/// # Panics
/// As the case does, after everything is cleaned up.
pub async fn on_sqlite<F: Future<Output = ()> + Send + 'static>(
    folder: &str,
    declare: impl FnOnce(&Path) -> Declaration,
    case: impl FnOnce(Client) -> F,
) {
    run(folder, None, declare, case).await;
}

/// Runs a case on a new schema of the PostgreSQL server on loopback.
///
/// # Panics
/// As the case does, after everything is cleaned up.
pub async fn on_postgres<F: Future<Output = ()> + Send + 'static>(
    folder: &str,
    declare: impl FnOnce(&Path) -> Declaration,
    case: impl FnOnce(Client) -> F,
) {
    run(folder, Some(format!("kit_test_{}", Uuid::now_v7().simple())), declare, case).await;
}

async fn run<F: Future<Output = ()> + Send + 'static>(
    folder: &str,
    schema: Option<String>,
    declare: impl FnOnce(&Path) -> Declaration,
    case: impl FnOnce(Client) -> F,
) {
    let folder = Path::new(folder).join(Uuid::now_v7().to_string());
    std::fs::create_dir_all(&folder).expect("a folder");
    let database = match &schema {
        None => DatabaseAddress::File(folder.join("test.db")),
        Some(schema) => DatabaseAddress::Postgres { url: DATABASE_URL.to_owned(), schema: schema.clone() },
    };
    let client = Client::open(declare(&folder), database, &folder).await;
    let service = client.service.clone();
    let outcome = tokio::spawn(case(client)).await;
    service.close().await;
    if let Some(schema) = schema {
        let pool = sqlx::PgPool::connect(DATABASE_URL).await.expect("PostgreSQL answers on 127.0.0.1:5432");
        let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        pool.execute(sqlx::AssertSqlSafe(drop)).await.expect("the schema is dropped");
    }
    std::fs::remove_dir_all(folder).expect("the folder is removed");
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Runs each case on a SQLite file and on PostgreSQL: first how the service is declared, from
/// a folder of its own, then the cases.
#[macro_export]
macro_rules! on_both_databases {
    ($declare:expr; $($case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let folder = env!("CARGO_TARGET_TMPDIR");
                    $crate::testing::on_sqlite(folder, $declare, super::$case).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let folder = env!("CARGO_TARGET_TMPDIR");
                    $crate::testing::on_postgres(folder, $declare, super::$case).await;
                }
            )*
        }
    };
}
