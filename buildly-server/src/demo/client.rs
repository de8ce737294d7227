//! The demo's own HTTP client: what it does, anybody can do with curl.

use buildly_model::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::Duration;

use super::Failure;

/// The most bytes of an answer that the demo reads.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How often a request is sent when the server says that it was too fast, or is not available.
const ATTEMPTS_MAX: u32 = 20;
/// The pause before it is sent again where the server is not available and does not say for how long.
const UNAVAILABLE_PAUSE: Duration = Duration::from_secs(1);

/// Asks one server; cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    base: String,
    pool: Pool<HttpConnector, Body>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// What is asked.
#[derive(Clone)]
pub(super) struct Question<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) token: Option<&'a str>,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

impl<'a> Question<'a> {
    pub(super) fn get(path: &'a str, token: &'a str) -> Self {
        Self { method: Method::GET, path, token: Some(token), content_type: "", body: String::new() }
    }

    pub(super) fn json(method: Method, path: &'a str, token: Option<&'a str>, body: &Value) -> Self {
        Self { method, path, token, content_type: "application/json", body: body.to_string() }
    }

    pub(super) fn form(path: &'a str, pairs: &[(&str, &str)]) -> Self {
        let encode = |text: &str| -> String {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            text.bytes()
                .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
                .collect()
        };
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        Self {
            method: Method::POST,
            path,
            token: None,
            content_type: "application/x-www-form-urlencoded",
            body: pairs.join("&"),
        }
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| String::from_utf8_lossy(&self.body).into_owned().into())
    }
}

impl Client {
    pub(super) fn new(base: String) -> Self {
        Self { base, pool: Pool::builder(TokioExecutor::new()).build_http() }
    }

    /// Asks, and asks again where the server wants a pause, or is not available for a moment.
    pub(super) async fn ask(&self, question: &Question<'_>) -> Result<Answer, Failure> {
        let mut attempt = 0;
        loop {
            let (answer, wait) = self.ask_once(question).await?;
            attempt += 1;
            match wait {
                Some(wait) if attempt < ATTEMPTS_MAX => tokio::time::sleep(wait).await,
                _ => return Ok(answer),
            }
        }
    }

    async fn ask_once(&self, question: &Question<'_>) -> Result<(Answer, Option<Duration>), Failure> {
        let failed =
            |reason: String| Failure::new(format!("{} {}: {reason}", question.method, question.path));
        let mut request =
            Request::builder().method(&question.method).uri(format!("{}{}", self.base, question.path));
        if !question.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, question.content_type);
        }
        if let Some(token) = question.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request =
            request.body(Body::from(question.body.clone())).map_err(|error| failed(error.to_string()))?;
        let response = self.pool.request(request).await.map_err(|error| failed(error.to_string()))?;
        let (head, body) = response.into_parts();
        let body =
            Body::stream(body).collect(ANSWER_BYTES_MAX).await.map_err(|error| failed(error.to_string()))?;
        let seconds = head.headers.get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
        let wait = match head.status {
            StatusCode::TOO_MANY_REQUESTS => seconds.map(Duration::from_secs),
            // A machine that is busy with other things makes a node lose touch for a moment.
            StatusCode::SERVICE_UNAVAILABLE => Some(seconds.map_or(UNAVAILABLE_PAUSE, Duration::from_secs)),
            _ => None,
        };
        Ok((Answer { status: head.status, body }, wait))
    }
}
