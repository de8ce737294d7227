//! Finding the operation that a request asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;

use super::handler::Erased;
use super::{Operation, Routes};
use crate::request::percent_decode;

/// All routes of the core; immutable once built.
pub(crate) struct Table {
    router: matchit::Router<Resource>,
}

/// One path and its methods.
struct Resource {
    pattern: &'static str,
    is_compat: bool,
    methods: Vec<(Method, Arc<dyn Erased>)>,
}

/// What the table says about a request.
pub(crate) enum Lookup {
    /// It is ours.
    Found(Found),
    /// The path is ours, the method is none of these.
    OtherMethods { pattern: &'static str, allow: String, is_compat: bool },
    /// The path is not ours: the data plane's.
    Unknown,
}

/// The operation that a request asks for.
pub(crate) struct Found {
    pub(crate) pattern: &'static str,
    pub(crate) is_compat: bool,
    pub(crate) allow: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) handler: Arc<dyn Erased>,
}

/// Two declarations ask for the same path, or a path cannot be matched.
#[derive(Debug, thiserror::Error)]
#[error("the route `{path}` cannot be added: {reason}")]
pub(crate) struct Refused {
    path: &'static str,
    reason: String,
}

impl Table {
    /// Builds the table.
    ///
    /// # Errors
    /// [`Refused`] if two operations are the same; a mistake of ours that any test shows.
    pub(crate) fn new(resources: &[Routes]) -> Result<Self, Refused> {
        let mut paths: BTreeMap<&'static str, Resource> = BTreeMap::new();
        for resource in resources {
            for Operation { method, path, handler, .. } in &resource.operations {
                let entry = paths.entry(path).or_insert_with(|| Resource {
                    pattern: path,
                    is_compat: resource.is_compat,
                    methods: Vec::new(),
                });
                if entry.methods.iter().any(|(known, _)| known == method) {
                    return Err(Refused { path, reason: format!("`{method}` is there already") });
                }
                entry.methods.push((method.clone(), handler.clone()));
            }
        }
        let mut router = matchit::Router::new();
        for (path, resource) in paths {
            let refused = |error: matchit::InsertError| Refused { path, reason: error.to_string() };
            router.insert(without_slash(path), resource).map_err(refused)?;
        }
        Ok(Self { router })
    }

    /// Finds what a request asks for; a slash at the end of the path makes no difference.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Lookup {
        let Ok(found) = self.router.at(without_slash(path)) else {
            return Lookup::Unknown;
        };
        let Resource { pattern, is_compat, methods } = found.value;
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let Some((_, handler)) = methods.iter().find(|(known, _)| known == wanted) else {
            return Lookup::OtherMethods { pattern, allow: allow(methods), is_compat: *is_compat };
        };
        let parameters: Option<Vec<_>> = found
            .params
            .iter()
            .map(|(name, value)| Some((name.to_owned(), percent_decode(value)?)))
            .collect();
        let Some(parameters) = parameters else {
            return Lookup::Unknown;
        };
        let (handler, allow) = (handler.clone(), allow(methods));
        Lookup::Found(Found { pattern, is_compat: *is_compat, allow, parameters, handler })
    }
}

fn allow(methods: &[(Method, Arc<dyn Erased>)]) -> String {
    let mut names: Vec<&str> = methods.iter().map(|(method, _)| method.as_str()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

fn without_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some("") | None => path,
        Some(rest) => rest,
    }
}

#[cfg(test)]
mod tests;
