//! Values between JSON and CEL.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value as CelValue;
use cel::objects::{Key, Map};
use serde_json::Value;

/// A JSON value as CEL sees it: whole numbers are `int`, others `double`.
pub(super) fn to_cel(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(truth) => CelValue::Bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => CelValue::Int(whole),
            None => CelValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => CelValue::String(Arc::new(text.clone())),
        Value::Array(items) => CelValue::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(members) => map(members.iter().map(|(key, member)| (key.clone(), to_cel(member)))),
    }
}

/// A CEL map with texts for keys.
pub(super) fn map(members: impl Iterator<Item = (String, CelValue)>) -> CelValue {
    let members: HashMap<Key, CelValue> =
        members.map(|(key, member)| (Key::String(Arc::new(key)), member)).collect();
    CelValue::Map(Map { map: Arc::new(members) })
}

/// A CEL value as JSON; a small expression can share one value many times, so what is
/// written out is counted.
pub(super) fn to_json(value: &CelValue, nodes_left: &mut u64) -> Result<Value, &'static str> {
    *nodes_left = nodes_left.checked_sub(1 + text_cost(value)).ok_or("its value is too large")?;
    Ok(match value {
        CelValue::Null => Value::Null,
        CelValue::Bool(truth) => Value::Bool(*truth),
        CelValue::Int(number) => Value::from(*number),
        CelValue::UInt(number) => Value::from(*number),
        CelValue::Float(number) => serde_json::Number::from_f64(*number)
            .map(Value::Number)
            .ok_or("its value is not a finite number")?,
        CelValue::String(text) => Value::String(text.as_ref().clone()),
        CelValue::List(items) => {
            Value::Array(items.iter().map(|item| to_json(item, nodes_left)).collect::<Result<_, _>>()?)
        }
        CelValue::Map(map) => {
            let mut members = serde_json::Map::new();
            for (key, member) in map.map.iter() {
                members.insert(key_text(key), to_json(member, nodes_left)?);
            }
            // The order of a hash map differs from run to run; that of a stored request must not.
            members.sort_keys();
            Value::Object(members)
        }
        _ => return Err("its value cannot be written as JSON (bytes, types and functions cannot)"),
    })
}

fn key_text(key: &Key) -> String {
    match key {
        Key::Int(number) => number.to_string(),
        Key::Uint(number) => number.to_string(),
        Key::Bool(truth) => truth.to_string(),
        Key::String(text) => text.as_ref().clone(),
    }
}

/// What a text costs beyond the one step of any value.
pub(super) fn text_cost(value: &CelValue) -> u64 {
    const BYTES_PER_STEP: usize = 16;
    match value {
        CelValue::String(text) => u64::try_from(text.len() / BYTES_PER_STEP).unwrap_or(u64::MAX),
        CelValue::Bytes(bytes) => u64::try_from(bytes.len() / BYTES_PER_STEP).unwrap_or(u64::MAX),
        _ => 0,
    }
}
