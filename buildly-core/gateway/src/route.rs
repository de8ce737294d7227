//! Where a request goes: service and version by the first segments of its path, operation by
//! the service's document.
//!
//! `/crm/contacts/7/` and `/async/crm/contacts/7/` are the same; `/v2/crm/contacts/7/` goes to
//! the instances of version `v2`. What is passed on keeps the bytes of path and query as they
//! came; only a slash at the end is taken or given as the document has it.

use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{Method, Uri};
use uuid::Uuid;

use crate::openapi::Operation;
use crate::path::{check, decode};
use crate::{Error, RegisteredService, Snapshot, Version};

/// How much of a path is repeated in an error, in bytes.
const SHOWN_BYTES_MAX: usize = 300;

/// The service that a path names, and what remains of the path: enough to check permission.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// The service.
    pub service: Arc<RegisteredService>,
    /// The version asked for.
    pub version: Option<Version>,
    rest: &'a str,
    query: Option<&'a str>,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub struct Route {
    /// The service.
    pub service: Arc<RegisteredService>,
    /// The version asked for.
    pub version: Option<Version>,
    /// The operation of its document.
    pub operation: Arc<Operation>,
    /// Path and query below [`RegisteredService::upstream`].
    pub path_and_query: PathAndQuery,
}

/// What routing comes to.
#[derive(Debug, Clone)]
pub enum Routing {
    /// It goes there.
    To(Route),
    /// The service's document is not known yet: fetch it, then ask again.
    DocumentNeeded,
}

impl<'a> Target<'a> {
    /// Finds the service that `uri` names.
    ///
    /// # Errors
    /// [`Error::InvalidPath`] if the path could be read as another one by somebody else,
    /// [`Error::ServiceNotFound`] if there is no such service, or not in that version.
    pub fn find(snapshot: &Snapshot, uri: &'a Uri) -> Result<Self, Error> {
        let path = uri.path();
        check(path)?;
        let (mut name, mut rest) = first_segment(path);
        if name == "async" {
            (name, rest) = first_segment(rest);
        }
        let version = Version::parse(name);
        if version.is_some() {
            (name, rest) = first_segment(rest);
        }
        let decoded = decode(name);
        let service = std::str::from_utf8(&decoded).ok().and_then(|name| snapshot.find_by_name(name));
        let serves = |service: &&Arc<RegisteredService>| {
            version.is_none() || service.service.instances.iter().any(|instance| instance.version == version)
        };
        let Some(service) = service.filter(serves) else {
            let name = version.map_or_else(|| shown(name), |version| format!("{version}/{}", shown(name)));
            return Err(Error::ServiceNotFound { name });
        };
        Ok(Self { service: Arc::clone(service), version, rest, query: uri.query() })
    }

    /// Finds the operation that the rest of the path names.
    ///
    /// # Errors
    /// [`Error::EndpointNotFound`] if the document has no such operation,
    /// [`Error::ObjectIdMissing`] if it is a change or deletion without a key.
    pub fn route(&self, method: &Method) -> Result<Routing, Error> {
        let Some(api) = self.service.api(self.version.as_ref()) else {
            return Ok(Routing::DocumentNeeded);
        };
        let Some((operation, ends_with_slash)) = api.find(method, self.rest) else {
            return Err(self.not_found(method));
        };
        Ok(Routing::To(Route {
            service: Arc::clone(&self.service),
            version: self.version.clone(),
            operation: Arc::clone(operation),
            path_and_query: self.path_and_query(ends_with_slash)?,
        }))
    }

    /// The same target in another snapshot.
    ///
    /// # Errors
    /// [`Error::ServiceNotFound`] if the service is gone.
    pub fn again(&self, snapshot: &Snapshot) -> Result<Self, Error> {
        let service = snapshot.find(self.service.service.id).cloned();
        let name = || self.service.service.name.to_string();
        Ok(Self { service: service.ok_or_else(|| Error::ServiceNotFound { name: name() })?, ..self.clone() })
    }

    fn path_and_query(&self, ends_with_slash: bool) -> Result<PathAndQuery, Error> {
        let query_length = self.query.map_or(0, |query| query.len() + 1);
        let mut text = String::with_capacity(self.rest.len() + query_length + 1);
        text.push_str(self.rest);
        match (ends_with_slash, self.rest.ends_with('/')) {
            (true, false) => text.push('/'),
            (false, true) => {
                text.pop();
            }
            (true, true) | (false, false) => {}
        }
        if let Some(query) = self.query {
            text.push('?');
            text.push_str(query);
        }
        PathAndQuery::try_from(text).map_err(|_| Error::InvalidPath { reason: "it is no path and query" })
    }

    /// The wire contract's sentence: a key is shown as the parameter that it would be.
    fn not_found(&self, method: &Method) -> Error {
        let mut segments = self.rest.split('/').filter(|segment| !segment.is_empty());
        let path = match (segments.next(), segments.next(), segments.next()) {
            (None, _, _) => "/".to_owned(),
            (Some(_), None, _) if is_change(method) => return Error::ObjectIdMissing,
            (Some(model), None, _) => format!("/{}/", shown(model)),
            (Some(model), Some(key), None) => {
                let kind = if Uuid::try_parse(key).is_ok() { "uuid" } else { "id" };
                let model = shown(model);
                format!("/{model}/{{{model}_{kind}}}/")
            }
            (Some(_), Some(_), Some(_)) => shown(self.rest),
        };
        Error::EndpointNotFound { method: method.clone(), path }
    }
}

/// The first segment of a path that begins with a slash, and the rest, which does so too.
fn first_segment(path: &str) -> (&str, &str) {
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.find('/') {
        Some(end) => path.split_at(end),
        None => (path, "/"),
    }
}

fn is_change(method: &Method) -> bool {
    matches!(*method, Method::PUT | Method::PATCH | Method::DELETE)
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests;
