//! Schemas of 2.0 and 3.0 as those of 3.1 (JSON Schema 2020-12).

use serde_json::{Map, Value, json};

/// Replaces what older versions say otherwise. Objects that are no schemas lack these members.
pub(super) fn modernize(schema: &mut Map<String, Value>) {
    let nullable = [schema.remove_if_bool("nullable"), schema.remove_if_bool("x-nullable")];
    if nullable.contains(&Some(true)) {
        allow_null(schema);
    }
    for (exclusive, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if schema.remove_if_bool(exclusive) == Some(true)
            && let Some(value) = schema.remove(limit)
        {
            schema.insert(exclusive.to_owned(), value);
        }
    }
    if schema.get("type").and_then(Value::as_str) == Some("file") {
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("format".to_owned(), json!("binary"));
    }
    if schema.contains_key("type")
        && let Some(Value::String(property)) = schema.get("discriminator")
    {
        let discriminator = json!({ "propertyName": property });
        schema.insert("discriminator".to_owned(), discriminator);
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    let null = || json!("null");
    match schema.get_mut("type") {
        Some(Value::Array(kinds)) if !kinds.contains(&null()) => kinds.push(null()),
        Some(kind @ Value::String(_)) => *kind = Value::Array(vec![kind.take(), null()]),
        Some(_) => {}
        None => {
            if let Some(reference) = schema.remove("$ref") {
                schema.insert("anyOf".to_owned(), json!([{ "$ref": reference }, { "type": "null" }]));
            }
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

/// Takes a member out if it is a truth value: a property of that name is an object.
trait RemoveIfBool {
    fn remove_if_bool(&mut self, name: &str) -> Option<bool>;
}

impl RemoveIfBool for Map<String, Value> {
    fn remove_if_bool(&mut self, name: &str) -> Option<bool> {
        let is = self.get(name)?.as_bool()?;
        self.remove(name);
        Some(is)
    }
}
