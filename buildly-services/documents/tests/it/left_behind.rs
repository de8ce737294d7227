//! Whoever breaks off a request leaves nothing half done.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use http::{Method, StatusCode};

use crate::mounted::{LIMITS, Mounted, acme, new_folder};

/// How often a request may wait before its client is gone: beyond what it does wait.
const WAITS_MAX: usize = 40;

/// Drops the work where it waits for the `waits`-th time, as a disconnect does; whether it was done.
async fn broken_off(work: impl Future, mut waits: usize) -> bool {
    let mut work = pin!(work);
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if waits == 0 => Poll::Ready(false),
        Poll::Pending => {
            waits -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Every file is named by a version, and every version has its file.
async fn is_whole(service: &Mounted, case: &str) -> usize {
    let versions = service.send(acme(), Method::GET, "/versions/?limit=1000", &[], "").await.json();
    let mut named: Vec<String> = versions["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["sha256"].as_str().unwrap().to_owned())
        .collect();
    let mut files: Vec<String> =
        service.files().iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    named.sort_unstable();
    files.sort_unstable();
    assert_eq!(files, named, "{case}");
    named.len()
}

#[tokio::test]
async fn a_client_that_disconnects_leaves_no_content_that_nothing_names() {
    let service = Mounted::open(new_folder(), LIMITS).await;
    let mut done = 0;
    let mut documents = Vec::new();
    for waits in 0..WAITS_MAX {
        let document = service.document().await;
        let path = format!("/documents/{document}/content/");
        let upload = service.send(acme(), Method::PUT, &path, &[], format!("content {waits}"));
        done += usize::from(broken_off(upload, waits).await);
        documents.push(document);
    }
    assert!(done > 0, "some come to their end, so that every place to wait was tried");
    assert!(done < WAITS_MAX, "some are broken off");
    let service = Mounted::open(service.close().await, LIMITS).await;
    let kept = is_whole(&service, "after uploads").await;
    assert!(kept >= done, "{kept} of {done}");
    let mut done = 0;
    for (waits, document) in documents.iter().enumerate() {
        let path = format!("/documents/{document}/");
        let removal = service.send(acme(), Method::DELETE, &path, &[], "");
        done += usize::from(broken_off(removal, waits).await);
    }
    assert!(done > 0 && done < WAITS_MAX, "{done}");
    let service = Mounted::open(service.close().await, LIMITS).await;
    is_whole(&service, "after removals").await;
    for document in &documents {
        let removed = service.send(acme(), Method::DELETE, &format!("/documents/{document}/"), &[], "").await;
        assert!(matches!(removed.status, StatusCode::NO_CONTENT | StatusCode::NOT_FOUND));
    }
    assert!(service.files().is_empty());
    std::fs::remove_dir_all(service.close().await).unwrap();
}
