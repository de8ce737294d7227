//! The operations that every record type has: list, create, read, replace, change, delete.

use buildly_model::Body;
use http::header::{ALLOW, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::idempotency::{self, Answer, Key};
use crate::operation::{Call, json};
use crate::records::Outcome;
use crate::shape::{Row, Shape};
use crate::{Error, Records, list, precondition, query};

/// The methods that a record type takes on its list (`is_detail` false) or on one record.
pub(crate) fn methods(shape: &Shape, is_detail: bool) -> Vec<Method> {
    let mut methods = vec![Method::GET, Method::HEAD, Method::OPTIONS];
    if !shape.record_type.is_read_only {
        let writes: &[Method] =
            if is_detail { &[Method::PUT, Method::PATCH, Method::DELETE] } else { &[Method::POST] };
        methods.extend_from_slice(writes);
    }
    methods
}

/// Answers a call on a list, or on the record that `call.id` names. The method is one of
/// [`methods`], `HEAD` turned into `GET`.
pub(crate) async fn answer(records: &Records, shape: &Shape, call: Call) -> Result<Response<Body>, Error> {
    match (call.method.clone(), call.id.is_some()) {
        (Method::GET, false) => show_list(records, shape, call).await,
        (Method::GET, true) => show(records, shape, call).await,
        (Method::POST, false) => create(records, shape, call).await,
        (Method::PUT, true) => put(records, shape, call).await,
        (Method::PATCH, true) => patch(records, shape, call).await,
        (Method::DELETE, true) => delete(records, shape, call).await,
        (_, is_detail) => Err(not_allowed(&methods(shape, is_detail))),
    }
}

/// 405 with what is allowed.
pub(crate) fn not_allowed(methods: &[Method]) -> Error {
    Error::MethodNotAllowed { allow: allow(methods) }
}

/// The value of `Allow`.
pub(crate) fn allow(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

/// The answer to `OPTIONS`.
pub(crate) fn options(methods: &[Method]) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    set(response.headers_mut(), ALLOW, &allow(methods));
    response
}

async fn show_list(records: &Records, shape: &Shape, call: Call) -> Result<Response<Body>, Error> {
    let list = list::parse(shape, call.query.as_deref()).map_err(Error::Invalid)?;
    let page = records.list(shape, (&call.caller).into(), &list).await?;
    // Relative to the list itself (RFC 3986 section 4.2), so they hold behind any gateway.
    let link = |cursor: Option<String>| {
        cursor.map(|cursor| {
            let kept = list.kept.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let query = query::write(kept.chain([("cursor", cursor.as_str())]));
            format!("?{query}")
        })
    };
    let results: Vec<Value> = page.rows.iter().map(Row::show).collect();
    let body = json!({"next": link(page.next), "previous": link(page.previous), "results": results});
    Ok(json(StatusCode::OK, &body))
}

async fn show(records: &Records, shape: &Shape, call: Call) -> Result<Response<Body>, Error> {
    let row = records
        .find(shape, (&call.caller).into(), call.id()?)
        .await?
        .ok_or(Error::NotFound { what: shape.name() })?;
    if precondition::is_unmodified(&call.headers, &row.etag()) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        set(response.headers_mut(), ETAG, &row.etag());
        return Ok(response);
    }
    Ok(record(StatusCode::OK, &row))
}

async fn create(records: &Records, shape: &Shape, mut call: Call) -> Result<Response<Body>, Error> {
    let bytes = read_json_bytes(&mut call).await?;
    let key =
        idempotency::parse(&call.headers).map_err(|error| Error::Invalid(vec![error]))?.map(|key| Key {
            organization: call.caller.organization,
            principal: call.caller.name(),
            key,
            fingerprint: idempotency::fingerprint(&call.path, &bytes),
        });
    let body = parse_object(&bytes)?;
    let answer = records.create(shape, (&call.caller).into(), body, key).await?;
    let Answer { status, id, etag, body } = answer;
    // Relative to the list that was asked, so it holds behind any gateway.
    let list = if call.path.ends_with('/') { "" } else { shape.record_type.plural };
    let separator = if list.is_empty() { "" } else { "/" };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    set(headers, LOCATION, &format!("{list}{separator}{id}/"));
    set(headers, ETAG, &etag);
    Ok(response)
}

async fn put(records: &Records, shape: &Shape, mut call: Call) -> Result<Response<Body>, Error> {
    let body = parse_object(&read_json_bytes(&mut call).await?)?;
    let precondition = precondition::parse(&call.headers).map_err(|error| Error::Invalid(vec![error]))?;
    Ok(match records.put(shape, ((&call.caller).into(), call.id()?), body, precondition).await? {
        Outcome::Kept(row) => record(StatusCode::OK, &row),
        Outcome::Created(row) => record(StatusCode::CREATED, &row),
    })
}

async fn patch(records: &Records, shape: &Shape, mut call: Call) -> Result<Response<Body>, Error> {
    let body = parse_object(&read_json_bytes(&mut call).await?)?;
    let precondition = precondition::parse(&call.headers).map_err(|error| Error::Invalid(vec![error]))?;
    let row = records.patch(shape, ((&call.caller).into(), call.id()?), body, precondition).await?;
    Ok(record(StatusCode::OK, &row))
}

async fn delete(records: &Records, shape: &Shape, call: Call) -> Result<Response<Body>, Error> {
    let precondition = precondition::parse(&call.headers).map_err(|error| Error::Invalid(vec![error]))?;
    records.delete(shape, ((&call.caller).into(), call.id()?), precondition).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

fn record(status: StatusCode, row: &Row) -> Response<Body> {
    let mut response = json(status, &row.show());
    set(response.headers_mut(), ETAG, &row.etag());
    response
}

/// Sets a header; a value that cannot be one is left out.
fn set(headers: &mut HeaderMap, name: http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Reads a body that says it is JSON, or says nothing.
async fn read_json_bytes(call: &mut Call) -> Result<bytes::Bytes, Error> {
    const EXPECTED: Error = Error::UnsupportedMedia { expected: "application/json" };
    if let Some(value) = call.headers.get(CONTENT_TYPE) {
        let essence = value.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        if essence != "application/json"
            && !(essence.starts_with("application/") && essence.ends_with("+json"))
        {
            return Err(EXPECTED);
        }
    }
    call.read_body().await
}

/// Reads a JSON object; nesting beyond 128 levels is refused by the parser.
fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Error::Malformed("Expected a JSON object.".to_owned())),
        Err(error) => Err(Error::Malformed(format!("Expected JSON: {error}."))),
    }
}
