//! YAML 1.2 as the values of JSON, within limits.
//!
//! The parser gives events, and this file builds the values from them on a stack of its own:
//! so nesting, and what aliases unfold to (the "billion laughs"), are counted before memory
//! is taken for them. Merge keys (`<<`) of YAML 1.1 are unfolded, since documents use them.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use super::Error;
use super::text::{DEPTH_MAX, beginning, malformed};

/// How many values a document may hold once its aliases are unfolded.
const VALUES_MAX: usize = 2_000_000;

/// Reads the first document of a YAML text.
pub(super) fn read(text: &str) -> Result<Value, Error> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = error.marker();
            malformed(format!(
                "`{}`, which is neither JSON nor YAML (line {}: {})",
                beginning(text),
                mark.line(),
                error.info()
            ))
        })?;
        if let Some(root) = builder.take(event, span.start.line())? {
            return Ok(root);
        }
    }
    Err(malformed("YAML without a document"))
}

/// The values that are being built.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    values: usize,
}

/// A list or an object that has not ended yet.
struct Open {
    anchor: usize,
    content: Content,
    /// How many values are in it, itself included.
    values: usize,
    /// How deep it is nested within.
    depth: usize,
}

enum Content {
    List(Vec<Value>),
    Object { members: Map<String, Value>, key: Option<String> },
}

/// What an alias stands for. Behind it is a clone, so its size is known before it is made.
struct Anchored {
    value: Value,
    values: usize,
    depth: usize,
}

impl Builder {
    /// Takes one event; gives the root value once it is complete.
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<Option<Value>, Error> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text.as_ref(), style, tag.as_deref());
                self.add(Anchored { value, values: 1, depth: 0 }, anchor, Some(text.as_ref()), line)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(anchor, Content::Object { members: Map::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(line),
            Event::Alias(anchor) => {
                let Some(known) = self.anchors.get(&anchor) else {
                    return Err(malformed(format!(
                        "YAML with an alias to itself or to nothing (line {line})"
                    )));
                };
                if self.values.saturating_add(known.values) > VALUES_MAX {
                    return Err(too_many());
                }
                if self.open.len() + known.depth > DEPTH_MAX {
                    return Err(too_deep());
                }
                let copy = Anchored { value: known.value.clone(), values: known.values, depth: known.depth };
                let text = copy.value.as_str().map(str::to_owned);
                self.add(copy, 0, text.as_deref(), line)
            }
            Event::StreamEnd => Err(malformed("YAML without a document")),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => Ok(None),
        }
    }

    fn open(&mut self, anchor: usize, content: Content) -> Result<Option<Value>, Error> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep());
        }
        self.count(1)?;
        self.open.push(Open { anchor, content, values: 1, depth: 1 });
        Ok(None)
    }

    fn close(&mut self, line: usize) -> Result<Option<Value>, Error> {
        let Some(closed) = self.open.pop() else {
            return Err(malformed(format!("YAML with an end that nothing began (line {line})")));
        };
        let value = match closed.content {
            Content::List(items) => Value::Array(items),
            Content::Object { members, .. } => Value::Object(members),
        };
        // Its values were counted one by one when they came.
        self.values = self.values.saturating_sub(closed.values);
        self.add(Anchored { value, values: closed.values, depth: closed.depth }, closed.anchor, None, line)
    }

    /// Puts a complete value where it belongs; `key` is its text if it can be a key.
    fn add(
        &mut self,
        complete: Anchored,
        anchor: usize,
        key: Option<&str>,
        line: usize,
    ) -> Result<Option<Value>, Error> {
        self.count(complete.values)?;
        let (values, depth) = (complete.values, complete.depth);
        let value = complete.value;
        if anchor != 0 {
            // The copy for later use is counted too: without it, anchors alone would double the memory.
            self.count(values)?;
            self.anchors.insert(anchor, Anchored { value: value.clone(), values, depth });
        }
        let Some(parent) = self.open.last_mut() else {
            return Ok(Some(value));
        };
        parent.values += values;
        parent.depth = parent.depth.max(depth + 1);
        match &mut parent.content {
            Content::List(items) => items.push(value),
            Content::Object { members, key: pending } => match pending.take() {
                Some(pending) => insert(members, pending, value),
                None => {
                    let Some(key) = key else {
                        return Err(malformed(format!("YAML with a key that is no text (line {line})")));
                    };
                    *pending = Some(key.to_owned());
                }
            },
        }
        Ok(None)
    }

    fn count(&mut self, values: usize) -> Result<(), Error> {
        self.values = self.values.saturating_add(values);
        if self.values > VALUES_MAX { Err(too_many()) } else { Ok(()) }
    }
}

/// Puts a member in; a merge key's members only where there is none of that name.
fn insert(members: &mut Map<String, Value>, key: String, value: Value) {
    match (key.as_str(), value) {
        ("<<", Value::Object(merged)) => {
            for (key, value) in merged {
                members.entry(key).or_insert(value);
            }
        }
        (_, value) => {
            members.insert(key, value);
        }
    }
}

/// The value of a scalar by the core schema of YAML 1.2 (section 10.3.2).
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if is_text || style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(Number::from);
    }
    let begins_like_a_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    if !begins_like_a_number {
        return None;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Number::from(whole));
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(Number::from(whole));
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}

fn too_many() -> Error {
    Error::TooMuch { what: "more values than that once its aliases are unfolded", limit: VALUES_MAX }
}

fn too_deep() -> Error {
    Error::TooMuch { what: "lists and objects nested too deep", limit: DEPTH_MAX }
}
