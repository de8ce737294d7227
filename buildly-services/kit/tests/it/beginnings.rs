//! What every organization begins with.

use buildly_kit::{DatabaseAddress, Record, RecordType};
use buildly_model::OrganizationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::schema::open;
use crate::world::{drop_schema, new_schema};

const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(1));
const GLOBEX: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(2));

/// A level, as the version before knew it: nobody began with any.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
struct Before {
    /// Its name.
    #[schema(max_length = 20)]
    name: String,
}

/// A level; everybody begins with two.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
struct Level {
    /// Its name.
    #[schema(max_length = 20)]
    name: String,
}

impl Record for Before {
    fn record_type() -> RecordType {
        RecordType::new("level", "levels").unique(&["name"])
    }
}

impl Record for Level {
    fn record_type() -> RecordType {
        RecordType::new("level", "levels").unique(&["name"]).ordered_by(&["name"])
    }

    fn beginning() -> Vec<Self> {
        ["high", "low"].map(|name| Self { name: name.to_owned() }).into()
    }
}

async fn it_is_made_once_and_never_for_those_who_have_their_own(address: DatabaseAddress) {
    let before = open::<Before>(&address).await.unwrap();
    before.records().make(GLOBEX, &Before { name: "low".to_owned() }).await.unwrap();
    before.close().await;
    let service = open::<Level>(&address).await.unwrap();
    let names = async |organization| {
        let levels = service.records().select::<Level>(organization, "").await.unwrap();
        levels.into_iter().map(|level| level.record.name).collect::<Vec<_>>()
    };
    assert_eq!(names(GLOBEX).await, ["low"], "its own stay alone");
    let asking = (0..8).map(|_| {
        let service = service.clone();
        tokio::spawn(async move { service.records().select::<Level>(ACME, "").await.unwrap().len() })
    });
    for asked in asking.collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), 2);
    }
    let high = service.records().select::<Level>(ACME, "").await.unwrap().remove(0);
    service.records().remove_if::<Level>(ACME, high.id, &http::HeaderMap::new()).await.unwrap();
    assert_eq!(names(ACME).await, ["low"]);
    service.close().await;
    let service = open::<Level>(&address).await.unwrap();
    assert_eq!(
        service.records().select::<Level>(ACME, "").await.unwrap().len(),
        1,
        "what is gone stays gone"
    );
    service.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_made_once_on_sqlite() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(Uuid::now_v7().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    it_is_made_once_and_never_for_those_who_have_their_own(DatabaseAddress::File(folder.join("test.db")))
        .await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_made_once_on_postgres() {
    let (address, schema) = new_schema();
    let outcome = tokio::spawn(it_is_made_once_and_never_for_those_who_have_their_own(address)).await;
    drop_schema(&schema).await;
    outcome.unwrap();
}
