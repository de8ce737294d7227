//! A database that the version before made, without folders and owners.

use std::collections::BTreeMap;

use buildly_kit::testing::{ADA, BEN, Client};
use buildly_kit::{DatabaseAddress, Declaration, OnDelete, Record, RecordType};
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::sharing::declare;

/// A document as the version before declared it.
#[derive(Serialize, Deserialize, ToSchema)]
struct Document {
    #[schema(min_length = 1, max_length = 300)]
    title: String,
    #[schema(max_length = 5000)]
    description: Option<String>,
    #[schema(max_length = 50)]
    category: Option<String>,
    #[schema(max_length = 100)]
    reference: Option<String>,
    #[schema(format = "date", max_length = 10)]
    dated: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

/// A version as the version before declared it.
#[derive(Serialize, Deserialize, ToSchema)]
struct Version {
    document: Uuid,
    number: i64,
    #[schema(max_length = 200)]
    media_type: String,
    bytes: i64,
    #[schema(min_length = 64, max_length = 64)]
    sha256: String,
}

impl Record for Document {
    fn record_type() -> RecordType {
        RecordType::new("document", "documents")
            .filterable(&["category", "reference", "dated"])
            .sortable(&["title", "dated", "reference"])
            .searchable(&["title", "description", "reference"])
    }
}

impl Record for Version {
    fn record_type() -> RecordType {
        RecordType::new("version", "versions")
            .unique(&["document", "number"])
            .filterable(&["sha256", "number"])
            .sortable(&["number"])
            .reference("document", "document", OnDelete::Delete)
            .read_only()
    }
}

fn before() -> Declaration {
    Declaration::new("documents", "Documents", "As they were.").record::<Document>().record::<Version>()
}

async fn its_documents_are_open_to_all_until_somebody_shares_them(old: Client) {
    let id = old.make(ADA, "/documents/", json!({"title": "Plan", "properties": {"a": "b"}})).await;
    let is_shared = matches!(old.database, DatabaseAddress::Postgres { .. });
    if !is_shared {
        // One process has a file; the version before ends first.
        old.make(ADA, "/documents/", json!({"title": "Beside"})).await;
        old.service.close().await;
    }
    let new = Client::open(declare(&old.folder), old.database.clone(), &old.folder).await;
    if is_shared {
        // The version before goes on working beside the new one.
        old.make(ADA, "/documents/", json!({"title": "Beside"})).await;
    }
    let beside = new.get(ADA, "/documents/?search=beside").await.each("id").remove(0);
    for (id, title) in [(&id, "Plan"), (&beside, "Beside")] {
        let read = new.get(BEN, &format!("/documents/{id}/")).await.expect(200).body;
        assert_eq!(read["title"], title);
        assert_eq!((&read["folder"], &read["owner"]), (&Value::Null, &Value::Null));
        assert_eq!((&read["restricted"], &read["readers"]), (&json!(false), &json!([])));
    }
    let path = format!("/documents/{id}/");
    new.send(BEN, Method::PUT, &format!("{path}content/"), &[], "content").await.expect(201);
    let folder = new.make(BEN, "/folders/", json!({"name": "Plans"})).await;
    new.write(BEN, Method::PATCH, &path, json!({"folder": folder})).await.expect(200);
    let mine = new.write(BEN, Method::PATCH, &path, json!({"restricted": true})).await.expect(200);
    assert_eq!(mine.body["owner"], json!(BEN.user), "who restricts what was nobody's owns it");
    new.get(ADA, &path).await.expect(404);
    assert_eq!(new.get(ADA, "/documents/").await.each("title"), ["Beside"]);
    new.service.close().await;
    // Once its tables are the new version's, the version before does not start any more.
    let settings = buildly_kit::Settings::new(new.database.clone(), std::sync::Arc::new(Nobody));
    let refused = before().open(settings).await.err().expect("it knows less");
    assert!(refused.to_string().contains("version 2"), "{refused}");
}

struct Nobody;

#[async_trait::async_trait]
impl buildly_kit::Authenticate for Nobody {
    async fn authenticate(&self, _: &http::HeaderMap) -> Result<buildly_kit::Caller, buildly_kit::Error> {
        Err(buildly_kit::Error::Unauthenticated("Nobody may."))
    }
}

buildly_kit::on_both_databases!(
    |_| crate::upgrade::before();
    its_documents_are_open_to_all_until_somebody_shares_them,
);
