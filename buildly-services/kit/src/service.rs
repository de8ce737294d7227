//! A service: what it declares, and the running thing that answers requests as values.

use std::sync::Arc;

use buildly_model::system::System;
use buildly_model::{Body, Clock, Random, StoreError};
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation as Document;
use uuid::Uuid;

use crate::background::Background;
use crate::database::Database;
use crate::operation::{Call, Operation, Route, json as json_response};
use crate::record::Record;
use crate::records::Begun;
use crate::shape::{DeclarationError, Shape};
use crate::version::Version;
use crate::{
    Authenticate, DatabaseAddress, Error, Records, Start, crud, openapi, problem, query, references,
};

/// What a service is: its name, its record types, and operations of its own.
pub struct Declaration {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    schema_version: u32,
    shapes: Vec<Result<Shape, DeclarationError>>,
    routes: Vec<Route>,
    starts: Vec<Arc<dyn Start>>,
}

/// What a service needs from where it runs.
#[derive(Clone)]
pub struct Settings {
    /// Where its records are.
    pub database: DatabaseAddress,
    /// Who says who is asking.
    pub authenticate: Arc<dyn Authenticate>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
}

impl Settings {
    /// Settings with the machine's clock and randomness.
    #[must_use]
    pub fn new(database: DatabaseAddress, authenticate: Arc<dyn Authenticate>) -> Self {
        Self { database, authenticate, clock: Arc::new(System), random: Arc::new(System) }
    }
}

/// Why a service could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The service's code is wrong.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// The database cannot be opened, or does not fit.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Declaration {
    /// A service without records: its name (`crm`), a title and a description for people.
    #[must_use]
    pub const fn new(name: &'static str, title: &'static str, description: &'static str) -> Self {
        Self {
            name,
            title,
            description,
            schema_version: 1,
            shapes: Vec::new(),
            routes: Vec::new(),
            starts: Vec::new(),
        }
    }

    /// The service's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The version of the service's tables; 1 if nobody says so. Whoever adds a field, a record
    /// type or a rule counts it up, and programs that know less refuse to open the database.
    #[must_use]
    pub fn schema_version(mut self, version: u32) -> Self {
        self.schema_version = version;
        self
    }

    /// The service keeps records of this struct.
    #[must_use]
    pub fn record<T: Record>(mut self) -> Self {
        self.shapes.push(Shape::of::<T>());
        self
    }

    /// The service does something on a path of its own, such as `/documents/{id}/content/`. It
    /// goes before what the record types do there.
    #[must_use]
    pub fn operation(
        mut self,
        method: Method,
        path: &'static str,
        document: impl Into<Document>,
        operation: impl Operation + 'static,
    ) -> Self {
        let (document, operation) = (document.into(), Arc::new(operation));
        self.routes.push(Route { method, path, document, operation });
        self
    }

    /// The service does something beside its requests, once it is open.
    #[must_use]
    pub fn at_start(mut self, start: impl Start + 'static) -> Self {
        self.starts.push(Arc::new(start));
        self
    }

    /// The service's OpenAPI 3.1 document.
    ///
    /// # Errors
    /// [`DeclarationError`] if a record type is declared wrongly.
    pub fn openapi(&self) -> Result<Value, DeclarationError> {
        let shapes = self.shapes.iter().cloned().collect::<Result<Vec<_>, _>>()?;
        references::check(&shapes)?;
        Ok(openapi::document(self, &shapes, &self.routes))
    }

    /// Opens the service's database, makes or extends its tables, and is ready to answer.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(self, settings: Settings) -> Result<Service, OpenError> {
        let openapi = self.openapi()?;
        let shapes = self.shapes.into_iter().collect::<Result<Vec<_>, _>>()?;
        let database =
            Database::open(&settings.database, &shapes, Version::known(self.schema_version)).await?;
        let Settings { authenticate, clock, random, .. } = settings;
        let (begun, background) = (Begun::default(), Background::default());
        let records = Records { database, shapes: shapes.into(), clock, random, begun, background };
        for start in self.starts {
            records.background.start(start, records.clone());
        }
        let inner = Inner { name: self.name, openapi, records, routes: self.routes, authenticate };
        Ok(Service(Arc::new(inner)))
    }
}

/// A service that is open; cheap to clone. It answers requests as values, so it can be mounted
/// in any server or called in process; [`crate::serve()`] gives it a socket.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    name: &'static str,
    openapi: Value,
    records: Records,
    routes: Vec<Route>,
    authenticate: Arc<dyn Authenticate>,
}

/// What a path means.
struct Target<'a> {
    shape: Option<&'a Shape>,
    routes: Vec<&'a Route>,
    id: Option<Uuid>,
}

impl Service {
    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Its OpenAPI 3.1 document.
    #[must_use]
    pub fn openapi(&self) -> &Value {
        &self.0.openapi
    }

    /// Its records, for code in the same process.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.0.records
    }

    /// Answers a request; every fault is an answer too.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let response = match self.answer(request).await {
            Ok(response) => response,
            Err(error) => problem::render(&error),
        };
        if is_head { without_body(response) } else { response }
    }

    /// Ends what must be finished, writes what is queued and closes the database.
    pub async fn close(&self) {
        self.0.records.background.close().await;
        self.0.records.database.close().await;
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, Error> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
        if let Some(response) = self.open_page(&method, path) {
            return response;
        }
        let target = self.find(path).ok_or(Error::NotFound { what: "path" })?;
        let mut allowed =
            target.shape.map(|shape| crud::methods(shape, target.id.is_some())).unwrap_or_default();
        let own = target.routes.iter().map(|route| route.method.clone());
        for method in own.chain([Method::OPTIONS]) {
            let implied = (method == Method::GET).then_some(Method::HEAD);
            for method in [Some(method), implied].into_iter().flatten() {
                if !allowed.contains(&method) {
                    allowed.push(method);
                }
            }
        }
        if !allowed.contains(&method) {
            return Err(crud::not_allowed(&allowed));
        }
        if method == Method::OPTIONS {
            return Ok(crud::options(&allowed));
        }
        let caller = self.0.authenticate.authenticate(&parts.headers).await?;
        let call = Call {
            caller,
            method,
            path: path.to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers,
            body,
            id: target.id,
        };
        match (target.routes.iter().find(|route| route.method == call.method), target.shape) {
            (Some(route), _) => route.operation.answer(&self.0.records, call).await,
            (None, Some(shape)) => crud::answer(&self.0.records, shape, call).await,
            (None, None) => Err(crud::not_allowed(&allowed)),
        }
    }

    /// What everybody may see: the index, health and documents.
    fn open_page(&self, method: &Method, path: &str) -> Option<Result<Response<Body>, Error>> {
        let value = match path.trim_end_matches('/') {
            "" => json!({
                "service": self.0.name,
                "openapi": "/docs/openapi.json",
                "health": "/health/",
                "records": self.0.records.shapes.iter().map(|shape| format!("/{}/", shape.record_type.plural)).collect::<Vec<_>>(),
            }),
            "/health" => json!({"status": "working"}),
            "/docs/openapi.json" | "/docs/swagger.json" => self.0.openapi.clone(),
            _ => return None,
        };
        let allowed = [Method::GET, Method::HEAD, Method::OPTIONS];
        Some(match *method {
            Method::GET => Ok(json_response(StatusCode::OK, &value)),
            Method::OPTIONS => Ok(crud::options(&allowed)),
            _ => Err(crud::not_allowed(&allowed)),
        })
    }

    fn find(&self, path: &str) -> Option<Target<'_>> {
        let segments = segments(path)?;
        let mut id = None;
        let mut routes = Vec::new();
        for route in &self.0.routes {
            if let Some(found) = matches(route.path, &segments) {
                id = found;
                routes.push(route);
            }
        }
        let shape_of =
            |plural: &str| self.0.records.shapes.iter().find(|shape| shape.record_type.plural == plural);
        let shape = match segments.as_slice() {
            [plural] => shape_of(plural),
            // A word in the place of an id is a path of the service's own, or none.
            [plural, key] => match Uuid::parse_str(key) {
                Ok(key) => {
                    id = Some(key);
                    shape_of(plural)
                }
                Err(_) => None,
            },
            _ => None,
        };
        (shape.is_some() || !routes.is_empty()).then_some(Target { shape, routes, id })
    }
}

/// The decoded segments of a path, whose trailing slash does not count.
fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    path.strip_suffix('/').unwrap_or(path).split('/').map(|segment| query::decode(segment, false)).collect()
}

/// Matches a declared path; the inner option is its `{id}`.
fn matches(declared: &str, segments: &[String]) -> Option<Option<Uuid>> {
    let declared: Vec<&str> = declared.trim_matches('/').split('/').collect();
    if declared.len() != segments.len() {
        return None;
    }
    let mut id = None;
    for (declared, segment) in declared.iter().zip(segments) {
        if *declared == "{id}" {
            id = Some(Uuid::parse_str(segment).ok()?);
        } else if declared != segment {
            return None;
        }
    }
    Some(id)
}

/// An answer to `HEAD`: the headers of `GET`, its length, no bytes (RFC 9110 section 9.3.2).
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    if let Some(bytes) = body.size_hint().exact()
        && !parts.headers.contains_key(CONTENT_LENGTH)
    {
        parts.headers.insert(CONTENT_LENGTH, bytes.into());
    }
    Response::from_parts(parts, Body::empty())
}
