//! A path item of a service as one of the gateway.

use serde_json::{Value, json};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Operations are called at the gateway with its tokens, under the service's tag, and have
/// names that no other service's operation has.
pub(super) fn adapt(item: &mut Value, tag: &str, prefix: &str) {
    let Some(item) = item.as_object_mut() else { return };
    item.remove("servers");
    for method in METHODS {
        let Some(Value::Object(operation)) = item.get_mut(method) else { continue };
        for name in ["servers", "security"] {
            operation.remove(name);
        }
        if let Some(Value::String(id)) = operation.get_mut("operationId") {
            *id = format!("{prefix}_{id}");
        }
        operation.insert("tags".to_owned(), json!([tag]));
        // An operation needs answers; documents in the wild may lack them.
        operation.entry("responses").or_insert_with(|| json!({"default": {"description": "The answer"}}));
    }
}
