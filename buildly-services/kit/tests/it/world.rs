//! A running service with two organizations and a client.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use buildly_kit::{
    Body, DatabaseAddress, Declaration, FieldError, KeySource, OnDelete, Overlap, Record, RecordType,
};
use buildly_kit::{Settings, TokenSettings, Tokens, serve};
use buildly_model::system::System;
use http::{HeaderMap, Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::Executor as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{Crate, Line, Sheet};
use crate::issuer::{ISSUER, Issuer};

const DATABASE_URL: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A thing with a field of each sort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Thing {
    /// Its name; unique.
    #[schema(min_length = 1, max_length = 60)]
    pub(crate) name: String,
    /// How many.
    #[schema(minimum = -1000, maximum = 1_000_000)]
    pub(crate) count: Option<i64>,
    /// How heavy.
    pub(crate) weight: Option<f64>,
    /// Whether it is on sale.
    #[serde(default)]
    pub(crate) on_sale: bool,
    /// Since when.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub(crate) since: Option<buildly_model::Timestamp>,
    /// Said about it.
    pub(crate) note: Option<String>,
    /// Anything.
    #[serde(default)]
    pub(crate) tags: Vec<String>,
}

impl Record for Thing {
    fn record_type() -> RecordType {
        RecordType::new("thing", "things")
            .unique(&["name"])
            .filterable(&["name", "count", "weight", "on_sale", "since"])
            .sortable(&["name", "count", "weight", "on_sale", "since"])
            .searchable(&["name", "note"])
    }

    fn check(&self) -> Vec<FieldError> {
        if self.name == "forbidden" {
            return vec![FieldError::new("name", "This name is not for things.")];
        }
        Vec::new()
    }
}

/// A part of a thing; it is cleared, refused or deleted with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Part {
    /// The thing that it belongs to; it goes with it.
    pub(crate) of: Option<Uuid>,
    /// The thing that it may belong to.
    pub(crate) maybe_of: Option<Uuid>,
    /// The thing that it is needed for.
    pub(crate) needed_for: Option<Uuid>,
}

impl Record for Part {
    fn record_type() -> RecordType {
        RecordType::new("part", "parts")
            .reference("of", "thing", OnDelete::Delete)
            .reference("maybe_of", "thing", OnDelete::Clear)
            .reference("needed_for", "thing", OnDelete::Refuse)
    }
}

/// Something that is changed with care.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Contract {
    /// What it says.
    pub(crate) text: String,
}

impl Record for Contract {
    fn record_type() -> RecordType {
        RecordType::new("contract", "contracts").guarded()
    }
}

/// A time that a thing is taken for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Booking {
    /// What is taken.
    pub(crate) thing: Uuid,
    /// From when; `noon` is one way to write it.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) starts: buildly_model::Timestamp,
    /// Until when.
    #[schema(value_type = String, format = "date-time")]
    pub(crate) ends: buildly_model::Timestamp,
    /// `off` takes no time.
    #[schema(max_length = 10)]
    pub(crate) state: Option<String>,
}

impl Record for Booking {
    fn record_type() -> RecordType {
        RecordType::new("booking", "bookings")
            .reference("thing", "thing", OnDelete::Refuse)
            .without_overlap(Overlap::of("thing", "starts", "ends").unless("state", "off"))
    }

    fn read(mut members: Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
        if members.get("starts").is_some_and(|starts| starts == "noon") {
            members.insert("starts".to_owned(), "2026-11-23T12:00:00Z".into());
        }
        Ok(members)
    }
}

pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) acme: String,
    pub(crate) globex: String,
    base: String,
    client: Client<HttpConnector, Body>,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<()>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).to_owned()
    }

    /// The path of the record that a POST to `list` made.
    pub(crate) fn path(&self, list: &str) -> String {
        let location = self.header("location");
        assert!(
            !location.starts_with('/') && location.ends_with('/'),
            "`{location}` is not relative to its list"
        );
        format!("{list}{location}")
    }

    pub(crate) fn results(&self) -> &Vec<Value> {
        self.body["results"].as_array().unwrap_or_else(|| panic!("no results in {}", self.text))
    }
}

pub(crate) async fn on_sqlite<F: Future<Output = ()> + Send + 'static>(case: impl FnOnce(Arc<World>) -> F) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    let outcome = World::run(DatabaseAddress::File(folder.join("test.db")), case).await;
    std::fs::remove_dir_all(folder).unwrap();
    report(outcome);
}

pub(crate) async fn on_postgres<F: Future<Output = ()> + Send + 'static>(case: impl FnOnce(Arc<World>) -> F) {
    let (address, schema) = new_schema();
    let outcome = World::run(address, case).await;
    drop_schema(&schema).await;
    report(outcome);
}

/// Panics as the case did, after everything is cleaned up.
fn report(outcome: Result<(), JoinError>) {
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

pub(crate) fn new_schema() -> (DatabaseAddress, String) {
    let schema = format!("kit_test_{}", Uuid::now_v7().simple());
    (DatabaseAddress::Postgres { url: DATABASE_URL.to_owned(), schema: schema.clone() }, schema)
}

pub(crate) async fn drop_schema(schema: &str) {
    let pool = sqlx::PgPool::connect(DATABASE_URL).await.unwrap();
    pool.execute(sqlx::AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))).await.unwrap();
}

impl World {
    /// Runs the case and stops the service, whatever comes of it.
    pub(crate) async fn run<F: Future<Output = ()> + Send + 'static>(
        database: DatabaseAddress,
        case: impl FnOnce(Arc<Self>) -> F,
    ) -> Result<(), JoinError> {
        let world = Arc::new(Self::start(database).await);
        let outcome = tokio::spawn(case(Arc::clone(&world))).await;
        let Self { stop, running, client, .. } =
            Arc::into_inner(world).expect("a case keeps nothing of its world");
        drop(client);
        stop.send(()).unwrap();
        running.await.unwrap();
        outcome
    }

    async fn start(database: DatabaseAddress) -> Self {
        let issuer = Issuer::new("one");
        let settings = TokenSettings {
            keys: KeySource::Set(serde_json::from_value(issuer.jwks()).unwrap()),
            issuer: Some(ISSUER.to_owned()),
            introspection: None,
        };
        let tokens = Arc::new(Tokens::new(settings, Arc::new(System)));
        let service = declaration().open(Settings::new(database, tokens)).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(serve(service, listener, async { drop(stopped.await) }));
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (acme, globex) =
            (issuer.token(acme(), Uuid::from_u128(1)), issuer.token(globex(), Uuid::from_u128(2)));
        Self { issuer, acme, globex, base, client, stop, running }
    }

    pub(crate) fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A request of acme's.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.ask(method, path, &[], body).await
    }

    /// A request of acme's with headers.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.raw(&self.acme, method, path, headers, bytes).await
    }

    /// A request of the other organization's.
    pub(crate) async fn as_globex(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.raw(&self.globex, method, path, &[], bytes).await
    }

    pub(crate) async fn raw(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.client.request(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = Body::stream(body).collect(64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body, text }
    }

    /// A new thing of acme's.
    pub(crate) async fn make(&self, body: Value) -> Answer {
        let answer = self.send(Method::POST, "/things/", Some(body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer
    }
}

pub(crate) fn declaration() -> Declaration {
    Declaration::new("test", "Test", "For tests.")
        .record::<Thing>()
        .record::<Part>()
        .record::<Contract>()
        .record::<Booking>()
        .record::<Crate>()
        .record::<Sheet>()
        .record::<Line>()
}

pub(crate) fn acme() -> Uuid {
    Uuid::from_u128(0xACE)
}

pub(crate) fn globex() -> Uuid {
    Uuid::from_u128(0x610)
}
