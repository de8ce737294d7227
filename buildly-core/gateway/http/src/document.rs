//! Fetches the documents of services.

use std::time::Duration;

use async_trait::async_trait;
use buildly_gateway::{Fetched, SourceError, SpecificationSource};
use buildly_model::Body;
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response, Uri};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::client::Client;
use crate::deadline::Progress;
use crate::replay::Tape;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/vnd.oai.openapi+json, application/json, application/vnd.oai.openapi, application/yaml, \
     text/yaml, */*;q=0.1",
);

#[async_trait]
impl SpecificationSource for Client {
    async fn fetch(&self, url: &Uri, bytes_max: usize, limit: Duration) -> Result<Fetched, SourceError> {
        timeout(limit, self.fetch_document(url, bytes_max)).await.map_err(|_| SourceError::TimedOut)?
    }
}

impl Client {
    async fn fetch_document(&self, url: &Uri, bytes_max: usize) -> Result<Fetched, SourceError> {
        let answer = self.get(url).await?;
        let status = answer.status();
        if answer.body().size_hint().lower() > bytes_max as u64 {
            return Err(SourceError::TooLarge { bytes_max });
        }
        let collected = Limited::new(answer.into_body(), bytes_max).collect().await;
        let body = collected.map_err(|error| {
            if error.is::<LengthLimitError>() {
                SourceError::TooLarge { bytes_max }
            } else {
                SourceError::Unreachable { reason: innermost(error.as_ref()) }
            }
        })?;
        Ok(Fetched { status, body: body.to_bytes() })
    }

    async fn get(&self, url: &Uri) -> Result<Response<Body>, SourceError> {
        let unreachable = |reason: String| SourceError::Unreachable { reason };
        let authority = url.authority().ok_or_else(|| unreachable("the URL has no host".to_owned()))?;
        let mut request = Request::new(());
        request.headers_mut().insert(ACCEPT, ACCEPTED);
        if let Some(connection) = self.shared().connection(authority.as_str()) {
            if let Some(path) = url.path_and_query() {
                *request.uri_mut() = Uri::from(path.clone());
            }
            let answered = connection.handle(request.map(|()| Body::empty())).await;
            return answered.map_err(|error| unreachable(innermost(error.as_ref())));
        }
        *request.uri_mut() = url.clone();
        let body = Tape::new(Body::empty(), true, Progress::default()).play();
        let body = body.ok_or_else(|| unreachable("the request could not be made".to_owned()))?;
        let transport = self.shared().transports.with_connect_timeout(CONNECT_TIMEOUT);
        let answered = transport.send(request.map(|()| body)).await;
        Ok(answered.map_err(|error| unreachable(innermost(&error)))?.map(Body::stream))
    }
}

/// What lies at the bottom: "connection refused" says more than "client error".
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
