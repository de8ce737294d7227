//! The two services that the recordings of Buildly Core were made with, as real HTTP servers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use buildly_model::Body;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running service; it ends when it is dropped.
pub struct RecordedService {
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    models: Mutex<BTreeMap<String, Vec<Value>>>,
    /// Each call as `METHOD path`, and its `Authorization` scheme.
    calls: Mutex<Vec<(String, String)>>,
    made: Mutex<u32>,
    has_uuids: bool,
    /// Whether the document offers lists by ids.
    has_id_lists: bool,
}

impl Drop for RecordedService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RecordedService {
    /// Service a: products, categories, records without a key, an odd detail path.
    pub async fn a() -> Self {
        let product = |id: u32| json!({"id": id, "name": format!("product {id}"), "category": 1 + id % 2});
        let category = |id: u32| json!({"id": id, "name": format!("category {id}")});
        let models = [
            ("product", [1, 2, 3, 12, 21].map(product).to_vec()),
            ("category", [1, 2].map(category).to_vec()),
            ("keyless", vec![json!({"name": "has no id"})]),
            ("legacy", vec![json!({"id": 1, "name": "legacy"})]),
        ];
        Self::start(&models, false, false).await
    }

    /// Service b: documents under UUIDs.
    pub async fn b() -> Self {
        Self::start(&[("document", documents())], true, false).await
    }

    /// Service b, whose document offers lists of documents by their ids.
    pub async fn b_with_id_lists() -> Self {
        Self::start(&[("document", documents())], true, true).await
    }

    async fn start(models: &[(&str, Vec<Value>)], has_uuids: bool, has_id_lists: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let models = models.iter().map(|(name, records)| ((*name).to_owned(), records.clone())).collect();
        let state = State {
            models: Mutex::new(models),
            calls: Mutex::default(),
            made: Mutex::default(),
            has_uuids,
            has_id_lists,
        };
        let state = Arc::new(state);
        let task = tokio::spawn(serve(listener, state.clone()));
        Self { address, state, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls since the last time, but for those for the document.
    pub fn taken_calls(&self) -> Vec<String> {
        let calls = std::mem::take(&mut *self.state.calls.lock().unwrap());
        calls.into_iter().map(|(call, _)| call).filter(|call| !call.contains("/docs/")).collect()
    }

    /// The kinds of `Authorization` that came with the calls since the last time.
    pub fn taken_schemes(&self) -> Vec<String> {
        let calls = std::mem::take(&mut *self.state.calls.lock().unwrap());
        calls.into_iter().filter(|(call, _)| !call.contains("/docs/")).map(|(_, scheme)| scheme).collect()
    }
}

fn documents() -> Vec<Value> {
    let key = |number: u32| format!("d0000000-0000-4000-8000-00000000000{number}");
    [1, 2, 3].map(|number| json!({"id": key(number), "title": format!("document {number}")})).to_vec()
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        connections.spawn(async move {
            let handler = service_fn(move |request| answer(state.clone(), request));
            let builder = auto::Builder::new(TokioExecutor::new());
            let _closed = builder.serve_connection(TokioIo::new(stream), handler).await;
        });
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let scheme = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scheme = scheme.split(' ').next().unwrap_or_default().to_owned();
    state.calls.lock().unwrap().push((format!("{} {}", head.method, head.uri), scheme));
    let (status, kind, body) =
        state.answer(&head.method, head.uri.path(), head.uri.query().unwrap_or_default(), &body);
    let response = Response::builder().status(status).header("content-type", kind);
    Ok(response.body(Body::from(body)).unwrap())
}

impl State {
    fn answer(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        body: &Bytes,
    ) -> (StatusCode, &'static str, String) {
        let json = |status, value: Value| (status, "application/json", value.to_string());
        if path == "/docs/swagger.json" {
            return json(StatusCode::OK, self.document());
        }
        let not_found = || json(StatusCode::NOT_FOUND, json!({"detail": "Not found."}));
        let mut segments = path.trim_matches('/').split('/');
        let (name, key) = (segments.next().unwrap_or_default(), segments.next());
        let mut models = self.models.lock().unwrap();
        let Some(records) = models.get_mut(name) else { return not_found() };
        if key == Some("503") {
            return json(StatusCode::SERVICE_UNAVAILABLE, json!({"detail": "Busy."}));
        }
        let place = key.and_then(|key| records.iter().position(|record| text(&record["id"]) == key));
        match (method, key, place) {
            (&Method::GET, None, _) if parameter(query, "kind").is_some() => {
                (StatusCode::OK, "text/csv", "id,name\r\n1,one\r\n".to_owned())
            }
            (&Method::GET, None, _) => {
                let rows = self.rows(records, query);
                let page = |rows: Vec<Value>| json!({"count": rows.len(), "next": null, "previous": null, "results": rows});
                json(
                    StatusCode::OK,
                    if parameter(query, "page").is_some() { page(rows) } else { Value::from(rows) },
                )
            }
            (&Method::POST, None, _) => {
                let Some(mut record) = record_of(body) else {
                    return json(StatusCode::BAD_REQUEST, json!({"detail": "JSON parse error"}));
                };
                if record.get("name") == Some(&json!("bad")) {
                    return json(StatusCode::BAD_REQUEST, json!({"name": ["This name is taken."]}));
                }
                record.insert("id".to_owned(), self.next_key());
                records.push(Value::Object(record.clone()));
                json(StatusCode::CREATED, Value::Object(record))
            }
            (&Method::GET, _, Some(place)) => json(StatusCode::OK, records[place].clone()),
            (&Method::PUT | &Method::PATCH, _, Some(place)) => {
                let sent: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
                records[place].as_object_mut().unwrap().extend(sent);
                json(StatusCode::OK, records[place].clone())
            }
            (&Method::DELETE, _, Some(place)) => {
                records.remove(place);
                (StatusCode::NO_CONTENT, "application/json", String::new())
            }
            _ => not_found(),
        }
    }

    fn rows(&self, records: &[Value], query: &str) -> Vec<Value> {
        let keys = parameter(query, "id__in").filter(|_| self.has_id_lists);
        let keys: Option<Vec<&str>> = keys.map(|keys| keys.split(',').collect());
        let is_asked =
            |record: &&Value| keys.as_ref().is_none_or(|keys| keys.contains(&text(&record["id"]).as_str()));
        records.iter().filter(is_asked).cloned().collect()
    }

    fn next_key(&self) -> Value {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        if self.has_uuids { json!(format!("e0000000-0000-4000-8000-{made:012}")) } else { json!(100 + *made) }
    }

    /// Swagger 2.0, as the services of that time had it.
    fn document(&self) -> Value {
        let (mut paths, mut definitions) = (Map::new(), Map::new());
        let ok = json!({"responses": {"200": {"description": "ok"}}});
        for name in self.models.lock().unwrap().keys() {
            let mut list = ok.clone();
            if self.has_id_lists {
                list["parameters"] = json!([{
                    "name": "id__in", "in": "query", "type": "array",
                    "items": {"type": "string"}, "collectionFormat": "csv",
                }]);
            }
            paths.insert(format!("/{name}/"), json!({"get": list, "post": ok}));
            let key = match name.as_str() {
                "legacy" => "id".to_owned(),
                "document" => "document_uuid".to_owned(),
                other => format!("{other}_id"),
            };
            let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            definitions.insert(title, json!({"type": "object"}));
            let parameters = json!([{"name": key, "in": "path", "required": true, "type": "string"}]);
            let detail = json!({"get": ok, "put": ok, "patch": ok, "delete": ok, "parameters": parameters});
            paths.insert(format!("/{name}/{{{key}}}/"), detail);
        }
        json!({"swagger": "2.0", "info": {"title": "recorded", "version": "1"}, "paths": paths, "definitions": definitions})
    }
}

/// A record as it was sent: JSON, or a form.
fn record_of(body: &Bytes) -> Option<Map<String, Value>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(record)) => Some(record),
        Ok(_) => None,
        Err(_) => {
            let text = std::str::from_utf8(body).ok()?;
            let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.into()));
            text.split('&').map(pair).collect()
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn parameter<'a>(query: &'a str, wanted: &str) -> Option<&'a str> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value).next()
}
