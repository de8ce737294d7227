//! The JSON Schema of the format, for editors and for people.

use serde_json::{Value, json};

use super::limits::{BOUND_MAX, LEVELS_MAX, WINDOW_MAX};

/// The JSON Schema (2020-12) of templates. What a schema cannot say (unique names, links,
/// expressions) [`compile`](crate::compile) and [`check`](crate::check()) do.
#[must_use]
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Buildly workflow template, format 1",
        "type": "object",
        "required": ["name", "levels"],
        "additionalProperties": false,
        "properties": {
            "format": { "const": 1 },
            "name": { "$ref": "#/$defs/name" },
            "title": { "type": "string" },
            "description": { "type": "string" },
            "input": { "$ref": "#/$defs/schema" },
            "starts": { "type": "array", "items": object(&["event"], json!({
                "event": { "type": "string" },
                "when": { "$ref": "#/$defs/cel" },
                "input": { "$ref": "#/$defs/cel" },
            })) },
            "unhandled": { "enum": ["undo", "attention"], "default": "undo" },
            "deadline": { "$ref": "#/$defs/delay" },
            "on": { "type": "array", "items": { "$ref": "#/$defs/branch" } },
            "levels": { "$ref": "#/$defs/levels" },
        },
        "$defs": {
            "name": { "type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 64 },
            "cel": { "type": "string", "maxLength": 4096, "description": "A CEL expression" },
            "schema": { "type": ["object", "boolean"], "description": "A JSON Schema" },
            "delay": { "type": "string", "description": "`30s`, `2 days`, `PT36H`" },
            "mapping": { "type": "object", "additionalProperties": { "$ref": "#/$defs/cel" } },
            "levels": { "type": "array", "maxItems": LEVELS_MAX, "items": { "$ref": "#/$defs/level" } },
            "level": level(),
            "branch": branch(),
            "kind": { "oneOf": kinds() },
        },
    })
}

fn level() -> Value {
    json!({
        "type": "object",
        "required": ["name", "do"],
        "additionalProperties": false,
        "properties": {
            "name": { "$ref": "#/$defs/name" },
            "title": { "type": "string" },
            "description": { "type": "string" },
            "do": { "$ref": "#/$defs/kind" },
            "when": { "$ref": "#/$defs/cel" },
            "after": { "type": "array", "items": { "$ref": "#/$defs/name" } },
            "join": { "enum": ["all", "any"], "default": "all" },
            "compensates": { "$ref": "#/$defs/name" },
            "as": { "type": "string", "pattern": "^(starter|account:.+|completer:.+)$", "default": "starter" },
            "retry": object(&["attempts"], json!({
                "attempts": { "type": "integer", "minimum": 0 },
                "pause": { "$ref": "#/$defs/delay" },
                "growth_percent": { "type": "integer", "minimum": 0 },
                "pause_max": { "$ref": "#/$defs/delay" },
            })),
            "timeout": { "$ref": "#/$defs/delay" },
            "deadline": { "$ref": "#/$defs/delay" },
            "on": { "type": "array", "items": { "$ref": "#/$defs/branch" } },
        },
    })
}

fn branch() -> Value {
    let kinds = [
        "refused",
        "forbidden",
        "unavailable",
        "busy",
        "timeout",
        "deadline",
        "expression",
        "limit",
        "join",
        "sub_run",
    ];
    let filter = object(
        &[],
        json!({
            "kinds": { "type": "array", "items": { "enum": kinds } },
            "statuses": { "type": "array", "items": { "type": "integer" } },
            "codes": { "type": "array", "items": { "type": "string" } },
        }),
    );
    object(
        &["event", "level"],
        json!({
            "event": { "oneOf": [
                one("fault", filter),
                { "const": "deadline" },
                one("signal", json!({ "type": "string" })),
            ] },
            "interrupting": { "type": "boolean", "default": true },
            "level": { "$ref": "#/$defs/level" },
        }),
    )
}

fn kinds() -> Vec<Value> {
    let (levels, one_level) = (json!({ "$ref": "#/$defs/levels" }), json!({ "$ref": "#/$defs/level" }));
    let (cel, mapping) = (json!({ "$ref": "#/$defs/cel" }), json!({ "$ref": "#/$defs/mapping" }));
    let bound = json!({ "type": "integer", "minimum": 1, "maximum": BOUND_MAX, "default": 1000 });
    let window = json!({ "type": "integer", "minimum": 1, "maximum": WINDOW_MAX, "default": 1 });
    let text = json!({ "type": "string" });
    let needed = json!({ "type": "integer", "minimum": 1 });
    let choice = object(&["if", "level"], json!({ "if": cel, "level": one_level }));
    vec![
        one("sequence", levels.clone()),
        one("parallel", levels.clone()),
        one("race", levels.clone()),
        one("any", object(&["needed", "levels"], json!({ "needed": needed, "levels": levels }))),
        one(
            "for_each",
            object(
                &["items", "level"],
                json!({
                    "items": cel, "at_once": window, "bound": bound, "level": one_level,
                }),
            ),
        ),
        one("loop", object(&["while", "level"], json!({ "while": cel, "bound": bound, "level": one_level }))),
        one(
            "task",
            object(
                &[],
                json!({
                    "group": text, "user": cel, "form": { "$ref": "#/$defs/schema" }, "show": cel,
                }),
            ),
        ),
        one(
            "call",
            object(
                &["operation"],
                json!({
                    "operation": text, "parameters": mapping, "body": cel, "result": cel,
                }),
            ),
        ),
        one("read", object(&["records"], json!({ "records": text, "query": mapping, "result": cel }))),
        one(
            "decide",
            object(
                &["branches"],
                json!({
                    "branches": { "type": "array", "items": choice }, "otherwise": one_level,
                }),
            ),
        ),
        one(
            "wait",
            json!({ "oneOf": [
            one("for", json!({ "$ref": "#/$defs/delay" })),
            one("until", object(&["date", "zone"], json!({ "date": cel, "zone": text }))),
            one("signal", object(&["name"], json!({ "name": text, "default": cel }))),
        ] }),
        ),
        one("run", object(&["template"], json!({ "template": text, "input": cel }))),
        one("emit", object(&["event"], json!({ "event": text, "payload": cel }))),
    ]
}

/// An object with exactly one member.
fn one(member: &str, schema: Value) -> Value {
    let properties: serde_json::Map<String, Value> = [(member.to_owned(), schema)].into_iter().collect();
    object(&[member], Value::Object(properties))
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties })
}
