//! A service that workflows call: it remembers keys, as services should, and what it did.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What was done under one idempotency key.
#[derive(Debug, Clone)]
pub struct Done {
    /// `create`, `remove`.
    pub what: String,
    /// The entry's name.
    pub name: String,
    /// In which order.
    pub number: usize,
    /// How often it was asked for.
    pub asked: usize,
    /// The token that it was first asked with.
    pub token: String,
}

#[derive(Default)]
struct Book {
    done: BTreeMap<String, Done>,
    failures_left: BTreeMap<String, usize>,
}

/// The service, on a port of its own.
pub struct Ledger {
    pub url: String,
    book: Arc<Mutex<Book>>,
    task: JoinHandle<()>,
}

impl Ledger {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let book: Arc<Mutex<Book>> = Arc::default();
        let shared = Arc::clone(&book);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| {
                    let shared = Arc::clone(&shared);
                    async move { Ok::<_, Infallible>(answer(&shared, request).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        Self { url, book, task }
    }

    /// Everything that was done, in its order.
    pub fn done(&self) -> Vec<Done> {
        let mut done: Vec<Done> = self.book.lock().unwrap().done.values().cloned().collect();
        done.sort_by_key(|done| done.number);
        done
    }

    /// What was done, as `create a`, in its order.
    pub fn story(&self) -> Vec<String> {
        self.done().into_iter().map(|done| format!("{} {}", done.what, done.name)).collect()
    }

    /// Lets the next so many attempts for entries of that name fail with 500, after they were
    /// done.
    pub fn break_after(&self, name: &str, times: usize) {
        self.book.lock().unwrap().failures_left.insert(name.to_owned(), times);
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn document() -> Value {
    let body = json!({"required": true, "content": {"application/json": {"schema": {"type": "object"}}}});
    let ok = json!({"200": {"description": "OK"}});
    json!({
        "openapi": "3.1.0", "info": {"title": "Ledger", "version": "1"},
        "paths": {
            "/entries/": {
                "post": {"operationId": "create", "requestBody": body, "responses": ok},
                "get": {"operationId": "list", "responses": ok},
            },
            "/entries/{name}/": {
                "delete": {"operationId": "remove", "responses": ok,
                    "parameters": [{"in": "path", "name": "name", "required": true, "schema": {"type": "string"}}]},
            },
            "/refuse/": {"post": {"operationId": "refuse", "requestBody": body, "responses": ok}},
        },
    })
}

async fn answer(book: &Mutex<Book>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let header = |name: &str| {
        head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (key, token) = (header("idempotency-key"), header("authorization").replace("Bearer ", ""));
    let reply = |status: u16, body: &Value| {
        let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert("content-type", "application/json".parse().unwrap());
        response
    };
    let (what, name) = match (head.method.clone(), path.as_str()) {
        (Method::GET, "/docs/swagger.json" | "/openapi.json") => return reply(200, &document()),
        (Method::POST, "/entries/") => ("create", body["name"].as_str().unwrap_or_default().to_owned()),
        (Method::DELETE, path) => {
            let name = path.trim_matches('/').rsplit('/').next().unwrap_or_default();
            ("remove", name.to_owned())
        }
        (Method::POST, "/refuse/") => {
            return reply(422, &json!({"code": "no-credit", "detail": "There is no credit."}));
        }
        _ => return reply(404, &json!({"detail": "Not found."})),
    };
    let must_fail = {
        let mut book = book.lock().unwrap();
        let number = book.done.len();
        let done = book.done.entry(key).or_insert_with(|| Done {
            what: what.to_owned(),
            name: name.clone(),
            number,
            asked: 0,
            token,
        });
        done.asked += 1;
        let left = book.failures_left.entry(name.clone()).or_default();
        let must_fail = *left > 0;
        *left = left.saturating_sub(1);
        must_fail
    };
    if let Some(pause) = body["pause_ms"].as_u64() {
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    if must_fail {
        return reply(500, &json!({"detail": "Something broke."}));
    }
    reply(200, &json!({"id": name, "name": name}))
}
