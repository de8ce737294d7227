use serde_json::json;

use super::*;

#[test]
fn a_value_of_another_kind_is_refused_with_what_was_expected() {
    for (case, kind, value) in [
        ("number as text", Kind::Text, json!(1)),
        ("text as uuid", Kind::Uuid, json!("no uuid")),
        ("fraction as integer", Kind::Integer, json!(1.5)),
        ("too large an integer", Kind::Integer, json!(u64::MAX)),
        ("text as boolean", Kind::Boolean, json!("true")),
        ("date as instant", Kind::Instant, json!("2026-11-23")),
    ] {
        assert_eq!(kind.read_json(&value), Err(kind.expectation()), "{case}");
    }
    assert!(Kind::Text.read_json(&json!("a\0b")).is_err(), "PostgreSQL cannot store NUL");
}

#[test]
fn what_is_shown_reads_back_as_the_same_cell() {
    for (kind, value) in [
        (Kind::Text, json!("Luís")),
        (Kind::Uuid, json!("01890a5d-ac96-774b-bcce-b302099a8057")),
        (Kind::Integer, json!(i64::MIN)),
        (Kind::Number, json!(1.5e300)),
        (Kind::Boolean, json!(true)),
        (Kind::Instant, json!("2026-11-23T18:30:00.25Z")),
        (Kind::Json, json!({"a": [1, null]})),
        (Kind::Text, json!(null)),
    ] {
        let cell = kind.read_json(&value).unwrap();
        assert_eq!(kind.show(&cell), value);
    }
}

#[test]
fn minus_zero_is_zero() {
    assert_eq!(Kind::Number.read_json(&json!(-0.0)).map(|cell| Kind::Number.show(&cell)), Ok(json!(0.0)));
}
