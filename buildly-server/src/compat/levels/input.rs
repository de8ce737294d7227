//! Reading what is written about levels.

use buildly_core::auth::identity::{GroupKey, UserKey};
use buildly_core::workflow::levels::Key;
use buildly_model::{LevelRowId, Timestamp};
use serde_json::Value;

use crate::request::Fields;
use crate::{Problem, Request};

/// The most ids that a field lists.
const IDS_MAX: usize = 1_000;
/// What is said of a time that is none.
const WRONG_TIME: &str = "Expected a time such as `2026-11-23T18:30:00Z` (RFC 3339).";

/// The row that a path names, by number or UUID.
pub(super) fn path_key(request: &Request) -> Result<Key, Problem> {
    key_of(request.path_text("id")).ok_or_else(|| Problem::not_found("Not found."))
}

/// Text that a query asks for.
pub(super) fn query_text(request: &Request, name: &str) -> Result<Option<String>, Problem> {
    match request.query().first(name).filter(|text| !text.is_empty()) {
        Some(text) if text.contains('\0') => Err(Problem::field(name, "Null characters are not allowed.")),
        text => Ok(text.map(str::to_owned)),
    }
}

/// An instant that a query asks for.
pub(super) fn query_instant(request: &Request, name: &str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = query_text(request, name)? else { return Ok(None) };
    instant_of(&text).map(Some).ok_or_else(|| Problem::field(name, WRONG_TIME))
}

/// The row that a field names, by number or UUID.
pub(super) fn key(fields: &mut Fields, name: &str) -> Option<Key> {
    let text = fields.text(name).filter(|text| !text.is_empty())?;
    key_of(&text).or_else(|| fields.refuse(name, "Incorrect type. Expected the id of a level 1."))
}

/// The same, of a field that must be there.
pub(super) fn required_key(fields: &mut Fields, name: &str) -> Option<Key> {
    if fields.value(name).is_none() {
        return fields.missing(name);
    }
    key(fields, name)
}

fn key_of(text: &str) -> Option<Key> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if is_number => Some(Key::Number(number)),
        _ => text.parse().ok().map(Key::Id),
    }
}

/// The row that a field names by UUID.
pub(super) fn row(fields: &mut Fields, name: &str) -> Option<LevelRowId> {
    fields.parsed(name)
}

/// An instant; a time without an offset counts as UTC, a date as its beginning.
pub(super) fn instant(fields: &mut Fields, name: &str) -> Option<Timestamp> {
    let text = fields.text(name).filter(|text| !text.is_empty())?;
    let read = instant_of(&text);
    read.or_else(|| fields.refuse(name, WRONG_TIME))
}

fn instant_of(text: &str) -> Option<Timestamp> {
    let spelled = [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z")];
    spelled.iter().find_map(|text| text.parse().ok())
}

/// The user that a field names.
pub(super) fn user(fields: &mut Fields, name: &str) -> Option<UserKey> {
    let text = fields.text(name).filter(|text| !text.is_empty())?;
    user_of(&text).or_else(|| fields.refuse(name, "Incorrect type. Expected the id of a user."))
}

/// The users that a field names.
pub(super) fn users(fields: &mut Fields, name: &str) -> Option<Vec<UserKey>> {
    let keys = ids(fields, name)?;
    let users: Option<Vec<UserKey>> = keys.iter().map(|text| user_of(text)).collect();
    users.or_else(|| fields.refuse(name, "Expected the ids of users."))
}

/// The group that a field names.
pub(super) fn group(fields: &mut Fields, name: &str) -> Option<GroupKey> {
    let text = fields.text(name).filter(|text| !text.is_empty())?;
    group_of(&text).or_else(|| fields.refuse(name, "Incorrect type. Expected the id of a group."))
}

/// The groups that a field names.
pub(super) fn groups(fields: &mut Fields, name: &str) -> Option<Vec<GroupKey>> {
    let keys = ids(fields, name)?;
    let groups: Option<Vec<GroupKey>> = keys.iter().map(|text| group_of(text)).collect();
    groups.or_else(|| fields.refuse(name, "Expected the ids of groups."))
}

/// Numbers and UUIDs as texts, each once.
fn ids(fields: &mut Fields, name: &str) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for text in fields.texts(name)? {
        if !texts.contains(&text) {
            texts.push(text);
        }
        if texts.len() > IDS_MAX {
            return fields.refuse(name, &format!("Ensure this field has no more than {IDS_MAX} elements."));
        }
    }
    Some(texts)
}

fn user_of(text: &str) -> Option<UserKey> {
    match key_of(text)? {
        Key::Number(number) => Some(UserKey::Number(number)),
        Key::Id(_) => text.parse().ok().map(UserKey::Id),
    }
}

fn group_of(text: &str) -> Option<GroupKey> {
    match key_of(text)? {
        Key::Number(number) => Some(GroupKey::Number(number)),
        Key::Id(_) => text.parse().ok().map(GroupKey::Id),
    }
}

/// JSON of any shape; forms write it as text. `None` if the field is absent, `[]` for `null`.
pub(super) fn json(fields: &Fields, name: &str) -> Option<Value> {
    let value = fields.values().get(name)?;
    Some(match value {
        Value::Null => Value::Array(Vec::new()),
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::instant_of;

    #[test]
    fn times_are_read_as_clients_write_them() {
        let noon = instant_of("2026-11-23T12:00:00Z");
        assert!(noon.is_some());
        for (text, expected) in [
            ("2026-11-23T13:00:00+01:00", noon),
            ("2026-11-23T12:00:00", noon),
            ("2026-11-23T12:00", noon),
            ("2026-11-23 12:00:00", noon),
            ("2026-11-23", instant_of("2026-11-23T00:00:00Z")),
            ("23.11.2026", None),
            ("soon", None),
        ] {
            assert_eq!(instant_of(text), expected, "{text}");
        }
    }
}
