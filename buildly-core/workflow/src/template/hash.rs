//! The hash of a template's executable parts, to which runs are pinned.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::Template;

/// SHA-256 of what a template does; titles and descriptions do not count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateHash([u8; 32]);

impl TemplateHash {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Template {
    /// The hash of the executable parts.
    #[must_use]
    pub fn hash(&self) -> TemplateHash {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        forget_prose(&mut value, true);
        let mut text = String::new();
        write_canonical(&value, &mut text);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        TemplateHash(bytes)
    }
}

/// Removes titles and descriptions of the template and of levels, but not those of JSON
/// Schemas: a form's title is what a person answers.
fn forget_prose(value: &mut Value, is_level: bool) {
    match value {
        Value::Object(members) => {
            if is_level {
                members.remove("title");
                members.remove("description");
            }
            for (key, member) in members.iter_mut() {
                if key != "input" && key != "form" {
                    let is_level = matches!(key.as_str(), "level" | "otherwise");
                    forget_prose(member, is_level);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| {
            let is_level = item.get("do").is_some();
            forget_prose(item, is_level);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Writes JSON with sorted keys, so that the hash does not depend on how a map keeps its order.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, member) in members {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(member, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string())
        }
    }
}

impl fmt::Display for TemplateHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for TemplateHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for TemplateHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected 64 hexadecimal digits".to_owned();
        let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(expected)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = pair.iter().fold(0, |byte, digit| (byte << 4) | u8::try_from(*digit).unwrap_or(0));
        }
        Ok(Self(bytes))
    }
}

impl Serialize for TemplateHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TemplateHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
