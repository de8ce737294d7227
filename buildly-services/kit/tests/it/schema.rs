//! Tables follow the structs, forward only.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_kit::{
    Authenticate, Caller, DatabaseAddress, Declaration, Error, OpenError, Record, RecordType, Service,
    Settings,
};
use buildly_model::{OrganizationId, StoreError};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::world::{drop_schema, new_schema};

const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(1));

/// As it was first.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
struct First {
    /// Its name.
    name: String,
}

/// A later version of it.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
struct Second {
    /// Its name.
    name: String,
    /// New.
    #[schema(max_length = 10)]
    size: Option<i64>,
}

/// A version after that: its new fields have defaults.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
struct WithDefaults {
    /// Its name.
    name: String,
    /// New: whether it is so.
    #[serde(default)]
    #[schema(default = false)]
    is_so: bool,
    /// New: what it is like.
    #[serde(default)]
    #[schema(default = json!(["it's"]))]
    tags: Vec<String>,
}

impl Record for WithDefaults {
    fn record_type() -> RecordType {
        RecordType::new("thing", "things").filterable(&["is_so"])
    }
}

/// A version that cannot be.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
struct Third {
    /// Its name, as a number.
    name: i64,
}

impl Record for First {
    fn record_type() -> RecordType {
        RecordType::new("thing", "things")
    }
}

impl Record for Second {
    fn record_type() -> RecordType {
        RecordType::new("thing", "things").filterable(&["size"])
    }
}

impl Record for Third {
    fn record_type() -> RecordType {
        RecordType::new("thing", "things")
    }
}

struct Nobody;

#[async_trait]
impl Authenticate for Nobody {
    async fn authenticate(&self, _headers: &HeaderMap) -> Result<Caller, Error> {
        Err(Error::Unauthenticated("Nobody may."))
    }
}

pub(crate) async fn open<T: Record>(address: &DatabaseAddress) -> Result<Service, OpenError> {
    let declaration = Declaration::new("test", "Test", "For tests.").record::<T>();
    declaration.open(Settings::new(address.clone(), Arc::new(Nobody))).await
}

async fn a_new_field_keeps_old_records(address: DatabaseAddress) {
    let service = open::<First>(&address).await.unwrap();
    let made = service.records().make(ACME, &First { name: "Lamp".to_owned() }).await.unwrap();
    service.close().await;
    for _ in 0..2 {
        let service = open::<Second>(&address).await.unwrap();
        let read = service.records().get::<Second>(ACME, made.id).await.unwrap();
        assert_eq!(read.record, Second { name: "Lamp".to_owned(), size: None });
        assert_eq!(service.records().select::<Second>(ACME, "size__isnull=true").await.unwrap().len(), 1);
        service.close().await;
    }
    open::<WithDefaults>(&address).await.unwrap().close().await;
    let old = open::<First>(&address).await.unwrap();
    assert_eq!(old.records().get::<First>(ACME, made.id).await.unwrap(), made);
    let later = old.records().make(ACME, &First { name: "Torch".to_owned() }).await.unwrap();
    old.close().await;
    let service = open::<WithDefaults>(&address).await.unwrap();
    for id in [made.id, later.id] {
        let read = service.records().get::<WithDefaults>(ACME, id).await.unwrap().record;
        assert_eq!((read.is_so, read.tags), (false, vec!["it's".to_owned()]), "the default of old records");
    }
    assert_eq!(service.records().select::<WithDefaults>(ACME, "is_so=false").await.unwrap().len(), 2);
    service.close().await;
    let refused = open::<Third>(&address).await.err();
    assert!(matches!(refused, Some(OpenError::Store(StoreError::Corrupt { .. }))), "got {refused:?}");
}

async fn open_version(address: &DatabaseAddress, version: u32) -> Result<Service, OpenError> {
    let declaration =
        Declaration::new("test", "Test", "For tests.").schema_version(version).record::<First>();
    declaration.open(Settings::new(address.clone(), Arc::new(Nobody))).await
}

async fn tables_of_a_newer_program_are_refused(address: DatabaseAddress) {
    for version in [1, 2, 2, 4] {
        open_version(&address, version).await.unwrap().close().await;
    }
    let refused = open_version(&address, 3).await.err().expect("4 is newer than 3");
    assert!(matches!(refused, OpenError::Store(StoreError::Corrupt { .. })), "got {refused:?}");
    let said = refused.to_string();
    assert!(said.contains("version 4") && said.contains("up to 3"), "{said}");
    open_version(&address, 4).await.unwrap().close().await;
}

#[tokio::test]
async fn tables_of_a_newer_program_are_refused_on_sqlite() {
    on_sqlite(tables_of_a_newer_program_are_refused).await;
}

#[tokio::test]
async fn tables_of_a_newer_program_are_refused_on_postgres() {
    on_postgres(tables_of_a_newer_program_are_refused).await;
}

#[tokio::test]
async fn one_process_at_a_time_has_a_database_file() {
    on_sqlite(async |address: DatabaseAddress| {
        let first = open::<First>(&address).await.unwrap();
        let refused = open::<First>(&address).await.err().expect("the first has it");
        assert!(matches!(refused, OpenError::Store(StoreError::Unavailable { .. })), "got {refused:?}");
        let said = refused.to_string();
        assert!(said.contains("in use by this process") && said.contains("test.db"), "{said}");
        first.close().await;
        open::<First>(&address).await.unwrap().close().await;
    })
    .await;
}

async fn on_sqlite(case: impl AsyncFnOnce(DatabaseAddress)) {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    case(DatabaseAddress::File(folder.join("test.db"))).await;
    std::fs::remove_dir_all(folder).unwrap();
}

async fn on_postgres<F: Future<Output = ()> + Send + 'static>(case: impl FnOnce(DatabaseAddress) -> F) {
    let (address, schema) = new_schema();
    let outcome = tokio::spawn(case(address)).await;
    drop_schema(&schema).await;
    outcome.unwrap();
}

#[tokio::test]
async fn a_new_field_keeps_old_records_on_sqlite() {
    on_sqlite(a_new_field_keeps_old_records).await;
}

#[tokio::test]
async fn a_new_field_keeps_old_records_on_postgres() {
    on_postgres(a_new_field_keeps_old_records).await;
}

/// A declaration that does not fit.
#[derive(Serialize, Deserialize, ToSchema)]
struct Wrong {
    /// Without a limit.
    text: String,
}

impl Record for Wrong {
    fn record_type() -> RecordType {
        RecordType::new("wrong", "wrongs").unique(&["text"])
    }
}

#[test]
fn a_declaration_that_cannot_work_is_refused_before_anything_is_served() {
    let refused = Declaration::new("test", "Test", "For tests.").record::<Wrong>().openapi().unwrap_err();
    assert!(refused.reason.contains("max_length"), "{refused}");
}
