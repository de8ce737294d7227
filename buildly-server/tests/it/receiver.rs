//! A receiver of webhooks: it checks signatures as Standard Webhooks 1.0 says, apart from our code.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buildly_model::Clock as _;
use buildly_model::system::System;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(60);
/// How old a message may be.
const AGE_SECONDS_MAX: u64 = 300;

/// What came in.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What it was answered.
    pub answered: u16,
}

/// A running receiver.
pub struct Receiver {
    pub url: String,
    answers: Arc<Mutex<VecDeque<u16>>>,
    received: mpsc::UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// One that answers 204.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=1", listener.local_addr().unwrap());
        let answers: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        let (sender, received) = mpsc::unbounded_channel();
        let queue = answers.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (queue, sender) = (queue.clone(), sender.clone());
                let service = service_fn(move |request| take(request, queue.clone(), sender.clone()));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        Self { url, answers, received, task }
    }

    /// The next messages are answered so, before 204 again.
    pub fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    /// What comes next; somebody must send something.
    pub async fn next(&mut self) -> Received {
        let next = tokio::time::timeout(PATIENCE, self.received.recv()).await;
        next.expect("a message in time").expect("the receiver runs")
    }

    /// What has come and was not looked at.
    pub fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    request: Request<Incoming>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    sender: mpsc::UnboundedSender<Received>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("POST", "/hook?key=1"));
    let (head, body) = request.into_parts();
    // A sender that is killed does not finish.
    let Ok(body) = body.collect().await else { return Ok(Response::default()) };
    let answered = answers.lock().unwrap().pop_front().unwrap_or(204);
    let _ = sender.send(Received { headers: head.headers, body: body.to_bytes(), answered });
    Ok(Response::builder().status(answered).body(Full::default()).unwrap())
}

impl Received {
    /// The CloudEvent; the signature must be good.
    #[track_caller]
    pub fn event(&self, secret: &str) -> Value {
        assert!(self.is_signed_with(secret), "the signature is not good: {:?}", self.headers);
        assert_eq!(self.header("content-type"), "application/cloudevents+json");
        let event: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["id"], self.header("webhook-id"));
        event
    }

    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert!((24..=64).contains(&key.len()), "as the standard says");
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        assert!(System.now().as_seconds().abs_diff(at.parse().unwrap()) < AGE_SECONDS_MAX);
        let signed = [id.as_bytes(), b".", at.as_bytes(), b".", &self.body].concat();
        let signatures =
            self.header("webhook-signature").split(' ').filter_map(|one| one.strip_prefix("v1,"));
        signatures.into_iter().any(|signature| {
            let signature = STANDARD.decode(signature).unwrap();
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed, &signature).is_ok()
        })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
