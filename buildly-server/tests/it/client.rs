//! A small HTTP client for the tests.

use buildly_model::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode};
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Why no whole answer came.
pub type Unanswered = Box<dyn std::error::Error + Send + Sync>;

/// Asks one server.
#[derive(Clone)]
pub struct Client {
    base: String,
    legacy: Legacy<HttpConnector, Body>,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's text; empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Fails the test, showing the answer, unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}

impl Client {
    pub fn new(base: String) -> Self {
        Self { base, legacy: Legacy::builder(TokioExecutor::new()).build_http(), token: None }
    }

    /// The same client, coming from another address of this machine.
    pub fn coming_from(&self, address: std::net::IpAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(address));
        Self { legacy: Legacy::builder(TokioExecutor::new()).build(connector), ..self.clone() }
    }

    /// The same client with an access token.
    pub fn signed_in(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// The token that it sends; empty if none.
    pub fn token(&self) -> String {
        self.token.clone().unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// The pages of a plain array, as far as `Link: rel="next"` leads.
    pub async fn get_all(&self, path: &str) -> Vec<Vec<Value>> {
        let (mut pages, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let answer = self.get(&path).await.expect(200);
            let page = answer.json().as_array().unwrap_or_else(|| panic!("{path}: no plain array")).clone();
            pages.push(page);
            assert!(pages.len() < 1000, "{path}: a list without end");
            next = answer.header("link").strip_suffix(">; rel=\"next\"").map(|link| {
                let url = link.strip_prefix('<').unwrap();
                self.url("").split_once("//").and_then(|(_, host)| url.split_once(host)).unwrap().1.to_owned()
            });
        }
        pages
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// A form, URL-encoded.
    pub async fn form(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| -> String {
            text.bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                    other => format!("%{other:02X}"),
                })
                .collect()
        };
        let body: Vec<_> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let request = http::Request::post(self.url(path))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.join("&")))
            .unwrap();
        self.request(request).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.try_send(method, path, body).await.unwrap()
    }

    /// As [`Client::send`]; where no whole answer comes, why.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Unanswered> {
        let builder = http::Request::builder().method(method).uri(self.url(path));
        let request = match body {
            Some(body) => builder
                .header(CONTENT_TYPE, "application/json")
                .body(Body::from(serde_json::to_vec(body).unwrap())),
            None => builder.body(Body::empty()),
        };
        self.try_request(request.unwrap()).await
    }

    /// Any request; the token is added unless it has an `Authorization` of its own.
    pub async fn request(&self, request: http::Request<Body>) -> Answer {
        self.try_request(request).await.unwrap()
    }

    async fn try_request(&self, mut request: http::Request<Body>) -> Result<Answer, Unanswered> {
        if let (Some(token), false) = (&self.token, request.headers().contains_key(AUTHORIZATION)) {
            request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        let response = self.legacy.request(request).await?;
        let (head, body) = response.into_parts();
        let body = Body::stream(body).collect(100_000_000).await?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}
