//! The services take all of it, and taking it twice changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use buildly_kit::{Authenticate, Body, Caller, DatabaseAddress, Declaration, Error, Service, Settings};
use buildly_model::{Identity, Principal, UserId};
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Sample, organization};

/// Everybody is the same user of the sample's organization.
struct Always;

#[async_trait]
impl Authenticate for Always {
    async fn authenticate(&self, _headers: &HeaderMap) -> Result<Caller, Error> {
        let identity = Identity::User(UserId::from_uuid(Uuid::from_u128(1)));
        let organization = organization();
        let principal = Principal { identity, organization: Some(organization), ..Principal::ANONYMOUS };
        Ok(Caller { principal, organization })
    }
}

async fn open(declaration: Declaration, folder: &Path) -> Service {
    let database = DatabaseAddress::File(folder.join(format!("{}.db", declaration.name())));
    declaration.open(Settings::new(database, Arc::new(Always))).await.unwrap()
}

async fn load(crm: &Service, documents: &Service, appointments: &Service) -> Vec<StatusCode> {
    let mut statuses = Vec::new();
    for stage in Sample::read().unwrap().stages(organization()) {
        let mut writes = JoinSet::new();
        for write in stage {
            let service = match write.service {
                "crm" => crm.clone(),
                "documents" => documents.clone(),
                _ => appointments.clone(),
            };
            writes.spawn(async move {
                let request = Request::put(&write.path).header("content-type", write.content_type);
                let response = service.handle(request.body(Body::from(write.body)).unwrap()).await;
                let status = response.status();
                assert!(status.is_success(), "{}: {}", write.path, text(response).await);
                status
            });
        }
        statuses.extend(writes.join_all().await);
    }
    statuses
}

async fn get(service: &Service, path: &str) -> String {
    text(service.handle(Request::get(path).body(Body::empty()).unwrap()).await).await
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect(16 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn results(service: &Service, path: &str) -> Vec<Value> {
    let page: Value = serde_json::from_str(&get(service, path).await).unwrap();
    page["results"].as_array().unwrap_or_else(|| panic!("{path}: {page}")).clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_services_take_all_of_it_and_a_second_time_changes_nothing() {
    let folder = std::env::temp_dir().join(format!("buildly-sample-{}", Uuid::now_v7()));
    let files: PathBuf = folder.join("documents");
    let crm = open(buildly_crm::declaration(), &folder_of(&folder)).await;
    let documents =
        open(buildly_documents::declaration(&files, buildly_documents::Limits::default()).unwrap(), &folder)
            .await;
    let appointments = open(buildly_appointments::declaration(), &folder).await;
    let first = load(&crm, &documents, &appointments).await;
    assert!(first.iter().all(|status| *status == StatusCode::CREATED));
    let contacts = results(&crm, "/contacts/?limit=1000").await;
    let versions = results(&documents, "/versions/?limit=1000").await;
    let calls = results(&appointments, "/appointments/?limit=1000").await;
    assert_eq!((contacts.len(), versions.len(), calls.len()), (59, 412, 59));
    let second = load(&crm, &documents, &appointments).await;
    assert!(second.iter().all(|status| *status == StatusCode::OK));
    assert_eq!(results(&crm, "/contacts/?limit=1000").await, contacts);
    assert_eq!(results(&documents, "/versions/?limit=1000").await, versions);
    assert_eq!(results(&appointments, "/appointments/?limit=1000").await, calls);
    let found = results(&documents, "/documents/?reference=00001").await;
    let content = format!("/documents/{}/content/", found[0]["id"].as_str().unwrap());
    let invoice = get(&documents, &content).await;
    assert!(invoice.contains("Leonie Köhler") && invoice.contains("total   1.98 USD"), "{invoice}");
    crm.close().await;
    documents.close().await;
    appointments.close().await;
    std::fs::remove_dir_all(folder).unwrap();
}

/// The folder, made.
fn folder_of(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    folder.to_owned()
}
