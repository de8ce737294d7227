//! Content and its versions.

use std::pin::Pin;
use std::task::{Context, Poll};

use buildly_kit::Body;
use bytes::Bytes;
use http::{Method, StatusCode};
use http_body::Frame;

use crate::mounted::{acme, globex, mounted};

#[tokio::test]
async fn content_comes_back_as_it_was_sent() {
    mounted(async |service| {
        let path = format!("/documents/{}/content/", service.document().await);
        let text = [("content-type", "text/plain; charset=utf-8")];
        let first = service.send(acme(), Method::PUT, &path, &text, "hello world").await;
        assert_eq!(first.status, StatusCode::CREATED);
        let version = first.json();
        assert_eq!((&version["number"], &version["bytes"]), (&1.into(), &11.into()));
        let sha256 = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
        assert_eq!(version["sha256"], sha256);
        let read = service.send(acme(), Method::GET, &path, &[], "").await;
        assert_eq!((read.status, read.bytes.as_slice()), (StatusCode::OK, &b"hello world"[..]));
        assert_eq!(read.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(read.header("etag"), format!("\"{sha256}\""));
        assert_eq!(read.header("x-content-type-options"), "nosniff");
        let again = service.send(acme(), Method::PUT, &path, &text, "hello world").await;
        assert_eq!((again.status, again.json()), (StatusCode::OK, version.clone()), "no new version");
        let next = service.send(acme(), Method::PUT, &path, &text, "hello again").await;
        assert_eq!(next.json()["number"], 2);
        let old = format!("/versions/{}/content/", version["id"].as_str().unwrap());
        assert_eq!(service.send(acme(), Method::GET, &old, &[], "").await.bytes, b"hello world");
        assert_eq!(service.send(acme(), Method::GET, &path, &[], "").await.bytes, b"hello again");
        assert_eq!(service.files().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_part_is_sent_when_a_part_is_asked_for() {
    mounted(async |service| {
        let path = format!("/documents/{}/content/", service.document().await);
        let made = service.send(acme(), Method::PUT, &path, &[], "0123456789").await;
        let etag = made.header("etag").to_owned();
        for (case, headers, status, bytes) in [
            ("middle", vec![("range", "bytes=2-4")], 206, "234"),
            ("end", vec![("range", "bytes=-3")], 206, "789"),
            ("same version", vec![("range", "bytes=8-"), ("if-range", etag.as_str())], 206, "89"),
            ("other version", vec![("range", "bytes=8-"), ("if-range", "\"other\"")], 200, "0123456789"),
            ("known already", vec![("if-none-match", etag.as_str())], 304, ""),
        ] {
            let part = service.send(acme(), Method::GET, &path, &headers, "").await;
            assert_eq!((part.status.as_u16(), part.bytes.as_slice()), (status, bytes.as_bytes()), "{case}");
        }
        let beyond = service.send(acme(), Method::GET, &path, &[("range", "bytes=10-")], "").await;
        assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, "bytes */10"));
        let head = service.send(acme(), Method::HEAD, &path, &[], "").await;
        assert_eq!((head.header("content-length"), head.bytes.len()), ("10", 0));
    })
    .await;
}

#[tokio::test]
async fn nobody_reads_or_writes_content_of_another_organization() {
    mounted(async |service| {
        let id = service.document().await;
        let path = format!("/documents/{id}/content/");
        let made = service.send(acme(), Method::PUT, &path, &[], "secret").await.json();
        let version = format!("/versions/{}/", made["id"].as_str().unwrap());
        for (method, path) in [
            (Method::GET, path.clone()),
            (Method::PUT, path.clone()),
            (Method::GET, format!("{version}content/")),
            (Method::GET, version),
            (Method::DELETE, format!("/documents/{id}/")),
        ] {
            let answer = service.send(globex(), method.clone(), &path, &[], "mine").await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
        }
        assert_eq!(service.files().len(), 1, "nothing of theirs was kept");
    })
    .await;
}

#[tokio::test]
async fn content_goes_with_the_last_document_that_has_it() {
    mounted(async |service| {
        let (one, two) = (service.document().await, service.document().await);
        for (id, body) in [(&one, "only here"), (&one, "shared"), (&two, "shared")] {
            service.send(acme(), Method::PUT, &format!("/documents/{id}/content/"), &[], body).await;
        }
        assert_eq!(service.files().len(), 2, "the same content is kept once");
        let gone = service.send(acme(), Method::DELETE, &format!("/documents/{one}/"), &[], "").await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
        assert_eq!(service.files().len(), 1);
        let left = service.send(acme(), Method::GET, &format!("/documents/{two}/content/"), &[], "").await;
        assert_eq!(left.bytes, b"shared");
        service.send(acme(), Method::DELETE, &format!("/documents/{two}/"), &[], "").await;
        assert!(service.files().is_empty());
    })
    .await;
}

#[tokio::test]
async fn versions_are_numbered_one_by_one_when_many_come_at_once() {
    mounted(async |service| {
        let id = service.document().await;
        let path = format!("/documents/{id}/content/");
        let bodies: Vec<String> = (0..8).map(|number| format!("version {number}")).collect();
        let sent = bodies.iter().map(|body| service.send(acme(), Method::PUT, &path, &[], body.clone()));
        let mut sent: Vec<_> = sent.map(Box::pin).collect();
        let mut numbers = Vec::new();
        std::future::poll_fn(|context| {
            sent.retain_mut(|answer| match answer.as_mut().poll(context) {
                Poll::Ready(answer) => {
                    numbers.push(answer.json()["number"].as_i64().unwrap());
                    false
                }
                Poll::Pending => true,
            });
            if sent.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    })
    .await;
}

/// Gives some bytes, then breaks off.
struct Broken(u32);

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0 += 1;
        Poll::Ready(Some(if self.0 < 4 {
            Ok(Frame::data(Bytes::from_static(b"some bytes")))
        } else {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }))
    }
}

#[tokio::test]
async fn an_upload_that_fails_leaves_nothing() {
    mounted(async |service| {
        let path = format!("/documents/{}/content/", service.document().await);
        let broken = service.send(acme(), Method::PUT, &path, &[], Body::stream(Broken(0))).await;
        assert_eq!(broken.status, StatusCode::BAD_REQUEST);
        let large = vec![0; (1 << 20) + 1];
        let large = service.send(acme(), Method::PUT, &path, &[], large).await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
        let announced = [("content-length", "9999999999")];
        let announced = service.send(acme(), Method::PUT, &path, &announced, "x").await;
        assert_eq!(announced.status, StatusCode::PAYLOAD_TOO_LARGE);
        let untyped = service.send(acme(), Method::PUT, &path, &[("content-type", "nonsense")], "x").await;
        assert_eq!(untyped.status, StatusCode::BAD_REQUEST);
        assert!(service.files().is_empty());
        assert_eq!(service.send(acme(), Method::GET, &path, &[], "").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn versions_cannot_be_written_by_hand() {
    mounted(async |service| {
        let refused = service.send(acme(), Method::POST, "/versions/", &[], "{}").await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS");
    })
    .await;
}
