use std::time::Duration;

use buildly_gateway::{SourceError, SpecificationSource as _};
use buildly_model::Body;
use http::{Request, Response, Uri};
use hyper::body::Incoming;

use crate::upstream::{dead, generated, serve, serve_silence};
use crate::world::client_of;

const LIMIT: Duration = Duration::from_secs(5);

fn uri(url: &str) -> Uri {
    url.parse().unwrap()
}

#[tokio::test]
async fn a_document_is_fetched_without_credential_and_redirects_are_not_followed() {
    let url = serve(|request: Request<Incoming>| async move {
        assert!(!request.headers().contains_key("authorization"));
        match request.uri().path() {
            "/docs" => Response::new(Body::from("{}")),
            _ => Response::builder().status(302).header("location", "/docs").body(Body::empty()).unwrap(),
        }
    })
    .await;
    let client = client_of(&[]).await;
    let document = client.fetch(&uri(&format!("{url}/docs")), 100, LIMIT).await.unwrap();
    assert_eq!((document.status.as_u16(), &document.body[..]), (200, &b"{}"[..]));
    let moved = client.fetch(&uri(&format!("{url}/old")), 100, LIMIT).await.unwrap();
    assert_eq!(moved.status.as_u16(), 302);
}

#[tokio::test]
async fn a_document_without_end_and_one_that_never_comes_are_refused() {
    let endless = serve(|_| async { Response::new(generated(u64::MAX)) }).await;
    let announced = serve(|_| async { Response::new(Body::from(vec![b' '; 2000])) }).await;
    let silent = serve_silence().await;
    let client = client_of(&[]).await;
    for url in [endless, announced] {
        let refused = client.fetch(&uri(&url), 1000, LIMIT).await;
        assert!(matches!(refused, Err(SourceError::TooLarge { bytes_max: 1000 })), "{refused:?}");
    }
    let refused = client.fetch(&uri(&silent), 1000, Duration::from_millis(50)).await;
    assert!(matches!(refused, Err(SourceError::TimedOut)), "{refused:?}");
    let refused = client.fetch(&uri(&dead().await), 1000, LIMIT).await;
    assert!(
        matches!(&refused, Err(SourceError::Unreachable { reason }) if reason.contains("refused")),
        "{refused:?}"
    );
}
