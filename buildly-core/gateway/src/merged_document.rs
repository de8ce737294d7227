//! One OpenAPI 3.1 document of the core and of every service.
//!
//! Documents of 2.0 and 3.0 are converted. Paths get the service's name in front, schemas and
//! other components too, and references follow. What a service says about servers and
//! security is left out: its operations are called through the gateway, with the core's
//! tokens.

mod convert_v2;
mod convert_v3;
mod names;
mod operation;
mod schema;

use serde_json::{Map, Value, json};

use crate::openapi::{Dialect, Document};
use names::Names;

/// The kinds of components that are taken over from services.
const COMPONENTS: [&str; 8] =
    ["schemas", "responses", "parameters", "examples", "requestBodies", "headers", "callbacks", "pathItems"];

/// A document to be merged in.
#[derive(Debug)]
pub struct Included<'a> {
    /// What stands before its paths, without slashes around it: `crm` or `v2/crm`.
    pub path: &'a str,
    /// What stands before the names of its components and operations: `crm`.
    pub prefix: &'a str,
    /// The document.
    pub document: Document,
}

/// Merges documents of services into the core's own, which is of 3.1.
#[must_use]
pub fn merged_document<'a>(core: &Value, included: impl IntoIterator<Item = Included<'a>>) -> Value {
    let mut merged = core.as_object().cloned().unwrap_or_default();
    for one in included {
        merge(&mut merged, one);
    }
    Value::Object(merged)
}

fn merge(merged: &mut Map<String, Value>, one: Included<'_>) {
    let Included { path, prefix, document } = one;
    let mut root = match document.dialect() {
        Dialect::V2 => convert_v2::convert(&document),
        Dialect::V3_0 | Dialect::V3_1 => document.into_root(),
    };
    let Some(taken) = object(merged, "components") else { return };
    let names = Names::of(&root, prefix, path, |kind, name| {
        taken.get(kind).and_then(|known| known.get(name)).is_some()
    });
    if let Some(Value::Object(components)) = root.remove("components") {
        for (kind, members) in components {
            let (true, Value::Object(members)) = (COMPONENTS.contains(&kind.as_str()), members) else {
                continue;
            };
            let Some(target) = object(taken, &kind) else { continue };
            for (name, mut value) in members {
                convert_v3::convert(&mut value, &names);
                target.insert(names.of_component(&kind, &name), value);
            }
        }
    }
    let title = root.get("info").and_then(|info| info.get("title")).and_then(Value::as_str).unwrap_or(path);
    if let Value::Array(tags) = merged.entry("tags").or_insert_with(|| json!([])) {
        tags.push(json!({"name": path, "description": title}));
    }
    let (Some(paths), Some(Value::Object(items))) = (object(merged, "paths"), root.remove("paths")) else {
        return;
    };
    for (template, mut item) in items {
        if template.starts_with("x-") || !item.is_object() {
            continue;
        }
        convert_v3::convert(&mut item, &names);
        operation::adapt(&mut item, path, prefix);
        let slash = if template.starts_with('/') { "" } else { "/" };
        paths.entry(format!("/{path}{slash}{template}")).or_insert(item);
    }
}

/// The object under a name; one that is something else is replaced.
fn object<'a>(parent: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    let value = parent.entry(name).or_insert_with(|| json!({}));
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut()
}

#[cfg(test)]
mod tests;
