use buildly_model::Timestamp;
use http::StatusCode;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::problem;

fn row() -> Row {
    let fields = json!({"name": "Ada"}).as_object().unwrap().clone();
    Row { id: Uuid::nil(), version: 3, created_at: Timestamp::EPOCH, updated_at: Timestamp::EPOCH, fields }
}

#[test]
fn a_put_does_what_its_preconditions_allow() {
    let same = row().fields;
    let other = json!({"name": "Grace"}).as_object().unwrap().clone();
    for (case, current, fields, precondition, expected) in [
        ("new", None, &other, Precondition::None, Ok(Put::Create)),
        ("new, wanted absent", None, &other, Precondition::Absent, Ok(Put::Create)),
        ("new, wanted present", None, &other, Precondition::Present, Err(StatusCode::PRECONDITION_FAILED)),
        ("new, wanted version", None, &other, Precondition::Version(3), Err(StatusCode::PRECONDITION_FAILED)),
        ("changed", Some(row()), &other, Precondition::None, Ok(Put::Update { from: 3 })),
        ("changed, at version", Some(row()), &other, Precondition::Version(3), Ok(Put::Update { from: 3 })),
        ("the same", Some(row()), &same, Precondition::None, Ok(Put::Unchanged)),
        ("wanted absent", Some(row()), &same, Precondition::Absent, Err(StatusCode::PRECONDITION_FAILED)),
        ("stale", Some(row()), &same, Precondition::Version(2), Err(StatusCode::PRECONDITION_FAILED)),
    ] {
        let decided = decide_put(current.as_ref(), fields, precondition, false);
        assert_eq!(decided.map_err(|error| problem::render(&error).status()), expected, "{case}");
    }
    let unguarded = decide_put(Some(&row()), &other, Precondition::None, true);
    assert!(matches!(unguarded, Err(Error::PreconditionRequired)), "got {unguarded:?}");
}

#[test]
fn an_entity_tag_in_a_list_matches() {
    let mut headers = HeaderMap::new();
    headers.insert(IF_NONE_MATCH, "\"1\", W/\"3\"".parse().unwrap());
    assert!(is_unmodified(&headers, "\"3\""));
    assert!(!is_unmodified(&headers, "\"2\""));
}
