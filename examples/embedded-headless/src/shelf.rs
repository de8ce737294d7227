//! A service in this process: it keeps the records of one kind in memory, for each organization
//! apart. Elsewhere this would be a program of its own, or one made with `buildly-kit`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use buildly_core::auth::Auth;
use buildly_core::gateway_http::Connection;
use buildly_core::model::{Body, BodyError, OrganizationId};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

/// The most bytes of a new record.
const RECORD_BYTES_MAX: usize = 64 << 10;

/// Records of one kind, such as contacts.
pub(crate) struct Shelf {
    /// What one record is called: `contact`; the list is at `/contacts/`.
    kind: &'static str,
    /// Says who is asking: the gateway forwards the caller's token to services of this process.
    auth: Auth,
    records: Mutex<HashMap<OrganizationId, Records>>,
}

#[derive(Default)]
struct Records {
    rows: Vec<Value>,
    /// What was answered under which key: a call that is repeated makes nothing twice.
    answered: HashMap<String, Value>,
}

impl Shelf {
    /// An empty one.
    pub(crate) fn new(kind: &'static str, auth: Auth) -> Self {
        Self { kind, auth, records: Mutex::default() }
    }

    /// What the gateway, the mesh and workflows know of the service (OpenAPI 3.1).
    fn document(&self) -> Value {
        let kind = self.kind;
        let done = |description: &str| json!({"description": description});
        let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}});
        let ids = json!({
            "name": "id__in", "in": "query", "explode": false,
            "schema": {"type": "array", "items": {"type": "integer"}},
        });
        let create = json!({
            "operationId": format!("create_{kind}"),
            "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
            "responses": {"201": done("made")},
        });
        let list = json!({
            "operationId": format!("list_{kind}s"), "parameters": [ids], "responses": {"200": done("all")},
        });
        let read = json!({
            "operationId": format!("read_{kind}"), "parameters": [id], "responses": {"200": done("one")},
        });
        let mut paths = Map::new();
        paths.insert(format!("/{kind}s/"), json!({"get": list, "post": create}));
        paths.insert(format!("/{kind}s/{{id}}/"), json!({"get": read}));
        json!({"openapi": "3.1.0", "info": {"title": kind, "version": "1"}, "paths": paths})
    }

    async fn create(&self, owner: OrganizationId, request: Request<Body>) -> Response<Body> {
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
        let key = key.map(str::to_owned);
        let Ok(bytes) = request.into_body().collect(RECORD_BYTES_MAX).await else {
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "the record is too large");
        };
        let Ok(mut record) = serde_json::from_slice::<Map<String, Value>>(&bytes) else {
            return problem(StatusCode::BAD_REQUEST, "expected a JSON object");
        };
        let mut all = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(owner).or_default();
        if let Some(before) = key.as_ref().and_then(|key| own.answered.get(key)) {
            return answer(StatusCode::CREATED, before);
        }
        record.insert("id".to_owned(), json!(own.rows.len() + 1));
        let record = Value::Object(record);
        own.answered.extend(key.map(|key| (key, record.clone())));
        own.rows.push(record.clone());
        answer(StatusCode::CREATED, &record)
    }

    /// The records that are asked for, by their ids, or all.
    fn list(&self, owner: OrganizationId, query: &str) -> Response<Body> {
        let wanted = query.split('&').find_map(|pair| pair.strip_prefix("id__in="));
        let wanted = wanted.map(|ids| ids.replace("%2C", ","));
        let wanted: Option<Vec<&str>> = wanted.as_deref().map(|ids| ids.split(',').collect());
        let is_wanted = |id: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(&id));
        let all = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = all.get(&owner).into_iter().flat_map(|own| &own.rows);
        let rows: Vec<&Value> = rows.filter(|row| is_wanted(&id_of(row))).collect();
        answer(StatusCode::OK, &json!({"count": rows.len(), "results": rows}))
    }

    fn read(&self, owner: OrganizationId, id: &str) -> Response<Body> {
        let all = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = all.get(&owner).into_iter().flat_map(|own| &own.rows);
        match rows.find(|row| id_of(row) == id) {
            Some(row) => answer(StatusCode::OK, row),
            None => problem(StatusCode::NOT_FOUND, "there is no such record"),
        }
    }
}

#[async_trait]
impl Connection for Shelf {
    async fn handle(&self, request: Request<Body>) -> Result<Response<Body>, BodyError> {
        let path = request.uri().path().trim_matches('/').to_owned();
        if path == "docs/openapi.json" {
            return Ok(answer(StatusCode::OK, &self.document()));
        }
        let token = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let Ok(principal) = self.auth.authenticate(token).await else {
            return Ok(problem(StatusCode::UNAUTHORIZED, "the token is not good"));
        };
        let Some(owner) = principal.organization else {
            return Ok(problem(StatusCode::FORBIDDEN, "records belong to an organization"));
        };
        let mut segments = path.split('/');
        let is_here = segments.next().and_then(|first| first.strip_suffix('s')) == Some(self.kind);
        Ok(match (request.method(), is_here, segments.next()) {
            (&Method::GET, true, None) => self.list(owner, request.uri().query().unwrap_or_default()),
            (&Method::GET, true, Some(id)) => self.read(owner, id),
            (&Method::POST, true, None) => self.create(owner, request).await,
            _ => problem(StatusCode::NOT_FOUND, "there is no such path"),
        })
    }
}

fn id_of(record: &Value) -> String {
    record.get("id").map(Value::to_string).unwrap_or_default()
}

fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    answer(status, &json!({"detail": detail}))
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
