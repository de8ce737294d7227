//! How much an organization may keep.

use buildly_documents::Limits;
use http::{Method, StatusCode};

use crate::mounted::{LIMITS, Mounted, acme, globex, new_folder};

const FEW: Limits = Limits { organization_bytes_max: 100, ..LIMITS };

async fn document(service: &Mounted, organization: uuid::Uuid) -> String {
    let made = service.send(organization, Method::POST, "/documents/", &[], r#"{"title": "Plan"}"#).await;
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn put(service: &Mounted, organization: uuid::Uuid, bytes: u8) -> StatusCode {
    let path = format!("/documents/{}/content/", document(service, organization).await);
    let sent = service.send(organization, Method::PUT, &path, &[], vec![bytes; usize::from(bytes)]).await;
    if sent.status == StatusCode::PAYLOAD_TOO_LARGE {
        let problem = sent.json();
        assert_eq!(problem["type"], "urn:buildly:problem:quota-exceeded");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("100 bytes (`max_bytes_per_organization`)"), "{detail}");
    }
    sent.status
}

#[tokio::test]
async fn an_organization_keeps_no_more_than_its_quota() {
    let service = Mounted::open(new_folder(), FEW).await;
    let first = document(&service, acme()).await;
    let content = format!("/documents/{first}/content/");
    let kept = service.send(acme(), Method::PUT, &content, &[], vec![1; 60]).await;
    assert_eq!(kept.status, StatusCode::CREATED);
    assert_eq!(put(&service, acme(), 41).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(service.files().len(), 1, "what was refused is gone");
    assert_eq!(put(&service, acme(), 40).await, StatusCode::CREATED, "what was refused is not counted");
    assert_eq!(put(&service, globex(), 90).await, StatusCode::CREATED, "another has a quota of its own");
    let service = Mounted::open(service.close().await, FEW).await;
    assert_eq!(put(&service, acme(), 1).await, StatusCode::PAYLOAD_TOO_LARGE, "after a start, too");
    let gone = service.send(acme(), Method::DELETE, &format!("/documents/{first}/"), &[], "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(put(&service, acme(), 60).await, StatusCode::CREATED, "removing makes room");
    assert_eq!(put(&service, acme(), 1).await, StatusCode::PAYLOAD_TOO_LARGE);
    std::fs::remove_dir_all(service.close().await).unwrap();
}
