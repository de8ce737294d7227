//! Two services in memory, as the recordings have them, that write down each call.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use buildly_model::{Body, CallError, ServiceCall, ServiceClient};
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// Lists of records by path; products are service 1, documents service 2.
pub(crate) struct Services {
    pub(crate) lists: Mutex<BTreeMap<String, Vec<Value>>>,
    /// Each call as `METHOD path`, in order.
    pub(crate) calls: Mutex<Vec<String>>,
    /// The headers of each call.
    pub(crate) heads: Mutex<Vec<http::HeaderMap>>,
    /// How many rows a list answers at most, and whether it says so in an envelope.
    pub(crate) page: Option<(usize, bool)>,
    /// What calls to this path get instead of an answer.
    pub(crate) trouble: Option<(&'static str, Trouble)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    Unreachable,
    Busy,
    Late,
    Status(u16),
    Text(&'static str),
    /// The head comes, the body does not.
    Silent,
    /// It takes ten seconds.
    Slow,
}

pub(crate) const DOCUMENT: &str = "d0000000-0000-4000-8000-00000000000";

impl Services {
    pub(crate) fn new() -> Self {
        let product = |id: u32| json!({"id": id, "name": format!("product {id}"), "category": 1 + id % 2});
        let document = |id: u32| json!({"id": format!("{DOCUMENT}{id}"), "title": format!("document {id}")});
        let category = |id: u32| json!({"id": id, "name": format!("category {id}")});
        let lists = BTreeMap::from([
            ("product".to_owned(), [1, 2, 3, 12, 21].map(product).to_vec()),
            ("document".to_owned(), [1, 2, 3].map(document).to_vec()),
            ("category".to_owned(), [1, 2].map(category).to_vec()),
        ]);
        Self {
            lists: Mutex::new(lists),
            calls: Mutex::default(),
            heads: Mutex::default(),
            page: None,
            trouble: None,
        }
    }

    pub(crate) fn taken_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Answers one call.
    fn answer(&self, method: &Method, path: &str, query: &str, body: &[u8]) -> (StatusCode, Value) {
        let mut segments = path.trim_matches('/').split('/');
        let (name, key) = (segments.next().unwrap(), segments.next());
        let mut lists = self.lists.lock().unwrap();
        let list = lists.get_mut(name).unwrap();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let place = key.and_then(|key| list.iter().position(|record| text(&record["id"]) == key));
        match (method, key, place) {
            (&Method::GET, None, _) => (StatusCode::OK, self.rows(list, name, query)),
            (&Method::GET, _, Some(place)) => (StatusCode::OK, list[place].clone()),
            (&Method::POST, None, _) => {
                let mut record: Value = serde_json::from_slice(body).unwrap();
                if record["name"] == "bad" {
                    return (StatusCode::BAD_REQUEST, json!({"name": ["This name is taken."]}));
                }
                let id = if name == "document" {
                    json!("e0000000-0000-4000-8000-000000000001")
                } else {
                    json!(101)
                };
                record["id"] = id;
                list.push(record.clone());
                (StatusCode::CREATED, record)
            }
            (&Method::PUT | &Method::PATCH, _, Some(place)) => {
                let sent: Value = serde_json::from_slice(body).unwrap();
                let members = sent.as_object().unwrap().clone();
                list[place].as_object_mut().unwrap().extend(members);
                (StatusCode::OK, list[place].clone())
            }
            (&Method::DELETE, _, Some(place)) => {
                list.remove(place);
                (StatusCode::NO_CONTENT, Value::Null)
            }
            _ => (StatusCode::NOT_FOUND, json!({"detail": "Not found."})),
        }
    }

    /// The rows of a list: those with the keys of `id__in`, page by page if there are pages.
    fn rows(&self, list: &[Value], name: &str, query: &str) -> Value {
        let parameter = |wanted: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == wanted)
                .map(|(_, value)| value)
        };
        let keys: Option<Vec<&str>> = parameter("id__in").map(|keys| keys.split(',').collect());
        let text =
            |record: &Value| record["id"].as_str().map_or_else(|| record["id"].to_string(), str::to_owned);
        let rows = list
            .iter()
            .filter(|record| keys.as_ref().is_none_or(|keys| keys.contains(&text(record).as_str())));
        let rows: Vec<Value> = rows.cloned().collect();
        let Some((size, has_envelope)) = self.page else { return Value::from(rows) };
        let offset: usize = parameter("offset").map_or(0, |offset| offset.parse().unwrap());
        let page: Vec<Value> = rows.iter().skip(offset).take(size).cloned().collect();
        if !has_envelope {
            return Value::from(page);
        }
        let next = offset + size;
        let keys = keys.map(|keys| format!("id__in={}&", keys.join(","))).unwrap_or_default();
        let next =
            (next < rows.len()).then(|| format!("http://elsewhere.example/{name}/?{keys}offset={next}"));
        json!({"count": rows.len(), "next": next, "previous": null, "results": page})
    }
}

#[async_trait]
impl ServiceClient for Services {
    async fn call(&self, call: ServiceCall) -> Result<Response<Body>, CallError> {
        let (head, body) = call.request.into_parts();
        let body = body.collect(1 << 20).await.unwrap();
        self.calls.lock().unwrap().push(format!("{} {}", head.method, head.uri));
        self.heads.lock().unwrap().push(head.headers);
        let service = || "documents".to_owned();
        let (status, body) = match self.trouble.filter(|(path, _)| head.uri.path().starts_with(path)) {
            Some((_, Trouble::Unreachable)) => {
                return Err(CallError::Unreachable { service: service(), source: None });
            }
            Some((_, Trouble::Busy)) => {
                return Err(CallError::Busy { service: service(), retry_after_seconds: 1 });
            }
            Some((_, Trouble::Late)) => return Err(CallError::DeadlineExceeded { service: service() }),
            Some((_, Trouble::Status(status))) => {
                (StatusCode::from_u16(status).unwrap(), json!({"detail": "Busy."}).to_string())
            }
            Some((_, Trouble::Text(text))) => (StatusCode::OK, text.to_owned()),
            Some((_, Trouble::Silent)) => {
                let answer = Response::builder().header("content-type", "application/json");
                return Ok(answer.body(Body::stream(crate::testing::Silent)).unwrap());
            }
            trouble => {
                if trouble.is_some() {
                    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
                }
                let query = head.uri.query().unwrap_or_default();
                let (status, value) = self.answer(&head.method, head.uri.path(), query, &body);
                (status, if value.is_null() { String::new() } else { value.to_string() })
            }
        };
        let response = Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("etag", "\"1\"");
        Ok(response.body(Body::from(body)).unwrap())
    }
}
