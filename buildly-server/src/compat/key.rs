//! Naming things on the old wire: by integer or by UUID, wherever one is asked for.

use buildly_core::auth::identity::{GroupKey, UserKey};
use serde_json::Value;

use crate::request::Fields;
use crate::{Problem, Request};

/// The user that a path names.
pub(super) fn user(request: &Request) -> Result<UserKey, Problem> {
    let text = request.path_text("id");
    number(text).map(UserKey::Number).or_else(|| text.parse().ok().map(UserKey::Id)).ok_or_else(not_found)
}

/// The group that a path names.
pub(super) fn group(request: &Request) -> Result<GroupKey, Problem> {
    group_of(request.path_text("id")).ok_or_else(not_found)
}

/// The groups that a field names.
pub(crate) fn groups(fields: &mut Fields, name: &str) -> Option<Vec<GroupKey>> {
    let list = fields.list(name)?;
    let read = |item: &Value| match item {
        Value::Number(number) => number.as_i64().map(GroupKey::Number),
        Value::String(text) => group_of(text),
        _ => None,
    };
    let keys: Option<Vec<GroupKey>> = list.iter().map(read).collect();
    keys.or_else(|| fields.refuse(name, "Expected the ids of groups."))
}

fn group_of(text: &str) -> Option<GroupKey> {
    number(text).map(GroupKey::Number).or_else(|| text.parse().ok().map(GroupKey::Id))
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn not_found() -> Problem {
    Problem::not_found("Not found.")
}
