//! A service to stand behind the gateway.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A service that answers what it was told to, and remembers what it was asked.
pub struct Upstream {
    pub url: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    answers: Mutex<HashMap<String, (u16, String)>>,
    asked: Mutex<Vec<Asked>>,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub target: String,
    pub headers: HeaderMap,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                let service = service_fn(move |request| {
                    let answer = shared.answer(&request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(connection.await) });
            }
        });
        Self { url, state, task }
    }

    /// A service whose `/docs/swagger.json` has these paths, each with these methods.
    pub async fn with_paths(paths: &[(&str, &[&str])]) -> Self {
        let service = Self::start().await;
        service.document(paths);
        service
    }

    /// Sets the paths of the document.
    pub fn document(&self, paths: &[(&str, &[&str])]) {
        let mut items = serde_json::Map::new();
        for (path, methods) in paths {
            let operations = methods.iter().map(|method| ((*method).to_owned(), serde_json::json!({})));
            items.insert((*path).to_owned(), Value::Object(operations.collect()));
        }
        let paths = Value::Object(items);
        let document =
            serde_json::json!({"swagger": "2.0", "info": {"title": "x", "version": "1"}, "paths": paths});
        self.answer("/docs/swagger.json", 200, &document.to_string());
    }

    /// Sets the answer to a path with its query.
    pub fn answer(&self, target: &str, status: u16, body: &str) {
        self.state.answers.lock().unwrap().insert(target.to_owned(), (status, body.to_owned()));
    }

    /// What was asked, but for the document.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|asked| !asked.target.starts_with("/docs/")).cloned().collect()
    }
}

impl State {
    fn answer<B>(&self, request: &http::Request<B>) -> Response<Full<Bytes>> {
        let target = request.uri().to_string();
        self.asked.lock().unwrap().push(Asked { target: target.clone(), headers: request.headers().clone() });
        let answers = self.answers.lock().unwrap();
        let missing = (404, r#"{"detail": "Not found."}"#.to_owned());
        let (status, body) = answers.get(&target).unwrap_or(&missing).clone();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert("content-type", "application/json".parse().unwrap());
        response
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}
