//! What the components and references of a document are called in the merged one.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

/// The new names of one document's components.
pub(super) struct Names {
    components: HashMap<(String, String), String>,
    path: String,
}

impl Names {
    /// Gives every component a name with `prefix`, and one that is not `taken`.
    pub(super) fn of(
        root: &Map<String, Value>,
        prefix: &str,
        path: &str,
        taken: impl Fn(&str, &str) -> bool,
    ) -> Self {
        let mut components = HashMap::new();
        let mut used = HashSet::new();
        let kinds = root.get("components").and_then(Value::as_object);
        for (kind, members) in kinds.into_iter().flatten() {
            for name in members.as_object().into_iter().flatten().map(|(name, _)| name) {
                let mut new = plain(&format!("{prefix}{name}"));
                while taken(kind, &new) || !used.insert((kind.clone(), new.clone())) {
                    new.push('_');
                }
                components.insert((kind.clone(), name.clone()), new);
            }
        }
        Self { components, path: path.to_owned() }
    }

    /// The new name of a component.
    pub(super) fn of_component(&self, kind: &str, name: &str) -> String {
        let known = self.components.get(&(kind.to_owned(), name.to_owned()));
        known.cloned().unwrap_or_else(|| plain(name))
    }

    /// Where a reference leads in the merged document; `None` if nowhere in it.
    pub(super) fn reference(&self, reference: &str) -> Option<String> {
        let pointer = reference.strip_prefix("#/")?;
        let (first, rest) = pointer.split_once('/')?;
        match first {
            "components" => {
                let (kind, rest) = rest.split_once('/')?;
                let (name, below) =
                    rest.split_once('/').map_or((rest, None), |(name, below)| (name, Some(below)));
                let key = (kind.to_owned(), unescaped(name));
                let new = self.components.get(&key)?;
                let below = below.map(|below| format!("/{below}")).unwrap_or_default();
                Some(format!("#/components/{kind}/{new}{below}"))
            }
            "paths" => {
                let path = self.path.replace('/', "~1");
                rest.starts_with("~1").then(|| format!("#/paths/~1{path}{rest}"))
            }
            _ => None,
        }
    }

    /// A bare name of a schema, as discriminators may have it.
    pub(super) fn schema(&self, name: &str) -> Option<&String> {
        self.components.get(&("schemas".to_owned(), name.to_owned()))
    }
}

/// Names of components are letters, digits, `.`, `-` and `_`.
fn plain(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    name.chars().map(|c| if allowed(c) { c } else { '_' }).collect()
}

fn unescaped(name: &str) -> String {
    let decoded = crate::path::decode(name);
    String::from_utf8_lossy(&decoded).replace("~1", "/").replace("~0", "~")
}
