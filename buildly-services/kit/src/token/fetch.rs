//! The small HTTP client that fetches keys and asks the issuer.
//!
//! It follows no redirect, so a token or a question goes only where the configuration says.

use std::time::Duration;

use buildly_model::Body;
use bytes::Bytes;
use http::{Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct Fetch {
    client: Option<Client<HttpsConnector<HttpConnector>, Body>>,
}

impl Fetch {
    pub(super) fn new() -> Self {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(provider);
        let client = connector
            .map(|builder| builder.https_or_http().enable_http1().build())
            .map(|connector| Client::builder(TokioExecutor::new()).build(connector));
        Self { client: client.ok() }
    }

    /// The body of a GET that is answered with 200.
    pub(super) async fn get(&self, address: &Uri, bytes_max: usize) -> Result<Bytes, String> {
        let request = Request::get(address).header(http::header::ACCEPT, "application/json");
        let request = request.body(Body::empty()).map_err(|error| error.to_string())?;
        self.send(request, bytes_max).await
    }

    /// The body of an answer with 200, within [`TIMEOUT`].
    pub(super) async fn send(&self, request: Request<Body>, bytes_max: usize) -> Result<Bytes, String> {
        let client = self.client.as_ref().ok_or("there is no cryptography for HTTPS")?;
        let exchange = async {
            let response = client.request(request).await.map_err(|error| error.to_string())?;
            let status = response.status();
            if status != http::StatusCode::OK {
                return Err(format!("the answer was {status}"));
            }
            Body::stream(response.into_body()).collect(bytes_max).await.map_err(|error| error.to_string())
        };
        tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| "no answer in time".to_owned())?
    }
}
