//! Callers over HTTP, each of whom asks again as soon as it has its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use crate::Failure;
use crate::report::Figure;

/// No answer takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client that keeps its connections.
#[derive(Clone)]
pub struct Client {
    inner: Legacy<HttpConnector, Full<Bytes>>,
    headers: HeaderMap,
}

impl Default for Client {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let inner = Legacy::builder(TokioExecutor::new()).build(connector);
        Self { inner, headers: HeaderMap::new() }
    }
}

impl Client {
    /// Sends this header with each request.
    #[must_use]
    pub fn with(mut self, name: http::HeaderName, value: http::HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sends one request; the status and the whole body of the answer.
    ///
    /// # Errors
    /// If there is no answer within a minute.
    pub async fn send(&self, method: Method, url: &str, body: Bytes) -> Result<(StatusCode, Bytes), Failure> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().map_err(Failure::http)?;
        request.headers_mut().clone_from(&self.headers);
        let json = http::HeaderValue::from_static("application/json");
        request.headers_mut().insert(http::header::CONTENT_TYPE, json);
        let answer = async {
            let answer = self.inner.request(request).await.map_err(Failure::http)?;
            let status = answer.status();
            let body = answer.into_body().collect().await.map_err(Failure::http)?;
            Ok((status, body.to_bytes()))
        };
        tokio::time::timeout(PATIENCE, answer).await.map_err(Failure::http)?
    }
}

/// One caller's question, by a number that no other has, and whether an answer is right.
pub trait Ask: Send + Sync + 'static {
    /// Where to, and what.
    fn request(&self, number: u64) -> (String, Bytes);
    /// Whether the answer is right.
    fn is_right(&self, status: StatusCode, body: &[u8]) -> bool;
}

/// So many callers ask for so long, after a warm-up of a fifth of it.
pub async fn measure(client: &Client, ask: Arc<dyn Ask>, at_once: usize, long: Duration) -> Figure {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let began = Instant::now() + long / 5;
    let end = began + long;
    let mut callers = JoinSet::new();
    for _ in 0..at_once {
        let (client, ask) = (client.clone(), Arc::clone(&ask));
        callers.spawn(async move {
            let (mut took, mut bad) = (Vec::new(), 0_u64);
            while Instant::now() < end {
                let (url, body) = ask.request(NUMBER.fetch_add(1, Ordering::Relaxed));
                let one = Instant::now();
                let answer = client.send(Method::POST, &url, body).await;
                let counts = Instant::now() >= began;
                match answer {
                    Ok((status, body)) if ask.is_right(status, &body) => {
                        if counts {
                            took.push(one.elapsed().as_secs_f64() * 1e3);
                        }
                    }
                    Ok((status, body)) => {
                        if bad == 0 {
                            eprint_once(status, &body);
                        }
                        bad += 1;
                    }
                    Err(_) => bad += 1,
                }
            }
            (took, bad)
        });
    }
    let (mut took, mut bad) = (Vec::new(), 0);
    while let Some(done) = callers.join_next().await {
        let Ok((of_one, bad_of_one)) = done else { continue };
        took.extend(of_one);
        bad += bad_of_one;
    }
    Figure::of(took, bad, began.elapsed().as_secs_f64())
}

#[expect(clippy::print_stderr, reason = "a wrong answer is shown")]
fn eprint_once(status: StatusCode, body: &[u8]) {
    static SHOWN: std::sync::Once = std::sync::Once::new();
    SHOWN.call_once(|| eprintln!("a wrong answer: {status} {}", String::from_utf8_lossy(body)));
}
