use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Key;
use crate::document::{Expected, Wanted};
use crate::fault::Reason;

const RESERVED: [&str; 2] = ["files", MESH_FIELD];

fn scan(text: &str, expected: Expected) -> Document {
    let wanted = Wanted { key_field: "id", fields: &["category"], reserved: &RESERVED };
    Document::scan(Bytes::copy_from_slice(text.as_bytes()), expected, &wanted).unwrap().unwrap()
}

fn files(lists: &[&[&str]]) -> Field {
    let list = |records: &&[&str]| records.iter().map(|one| Bytes::copy_from_slice(one.as_bytes())).collect();
    Field { name: "files".to_owned(), lists: lists.iter().map(list).collect() }
}

fn spliced(text: &str, expected: Expected, lists: &[&[&str]], faults: &[Fault]) -> String {
    let bytes = splice(&scan(text, expected), &[files(lists)], faults);
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn fault() -> Fault {
    let (relationship, service) = ("files".to_owned(), "documents".to_owned());
    Fault { relationship, service, reason: Reason::Busy, records: 1, detail: None }
}

const NAMED: &str =
    r#""_mesh":{"faults":[{"reason":"busy","records":1,"relationship":"files","service":"documents"}]}"#;

#[test]
fn bytes_stay_as_they_came() {
    for (case, text, expected, lists, outcome) in [
        (
            "record",
            r#"{ "id" : 1.0e2 }"#,
            Expected::Detail,
            vec![vec![r#"{"a":1}"#, "{}"]],
            r#"{ "id" : 1.0e2 ,"files":[{"a":1},{}]}"#.to_owned(),
        ),
        ("empty record", "{ }", Expected::Detail, vec![vec![]], r#"{ "files":[]}"#.to_owned()),
        (
            "array",
            r#"[{"id":12345678901234567890123}, {"id":2}]"#,
            Expected::List,
            vec![vec![], vec!["{}"]],
            r#"[{"id":12345678901234567890123,"files":[]}, {"id":2,"files":[{}]}]"#.to_owned(),
        ),
        ("empty array", " [ ] ", Expected::List, vec![], " [ ] ".to_owned()),
        (
            "page",
            r#"{"count":1,"results":[{"id":1}],"next":null}"#,
            Expected::List,
            vec![vec![]],
            r#"{"count":1,"results":[{"id":1,"files":[]}],"next":null}"#.to_owned(),
        ),
        (
            "own field of that name goes",
            r#"{"files":[1],"id":1}"#,
            Expected::Detail,
            vec![vec!["{}"]],
            r#"{"id":1,"files":[{}]}"#.to_owned(),
        ),
        (
            "also when it is escaped",
            r#"{"\u0066iles":[1],"id":1}"#,
            Expected::Detail,
            vec![vec![]],
            r#"{"id":1,"files":[]}"#.to_owned(),
        ),
        (
            "doubled member",
            r#"{"id":1,"a":1,"a":2}"#,
            Expected::Detail,
            vec![vec![]],
            r#"{"id":1,"a":2,"files":[]}"#.to_owned(),
        ),
        (
            "only its own field",
            r#"{"files":[1]}"#,
            Expected::Detail,
            vec![vec![]],
            r#"{"files":[]}"#.to_owned(),
        ),
    ] {
        let lists: Vec<&[&str]> = lists.iter().map(Vec::as_slice).collect();
        assert_eq!(spliced(text, expected, &lists, &[]), outcome, "{case}");
    }
}

#[test]
fn faults_stand_in_objects_and_pages() {
    for (case, text, expected, outcome) in [
        ("record", r#"{"id":1}"#, Expected::Detail, format!(r#"{{"id":1,"files":[],{NAMED}}}"#)),
        (
            "page",
            r#"{"results":[{"id":1}]}"#,
            Expected::List,
            format!(r#"{{"results":[{{"id":1,"files":[]}}],{NAMED}}}"#),
        ),
        ("array", r#"[{"id":1}]"#, Expected::List, r#"[{"id":1,"files":[]}]"#.to_owned()),
    ] {
        assert_eq!(spliced(text, expected, &[&[]], &[fault()]), outcome, "{case}");
    }
}

#[test]
fn keys_are_read_whatever_their_spelling() {
    for (case, text, key, category) in [
        ("number", r#"{"id":1,"category":"2"}"#, Some("1"), Some("2")),
        ("text", r#"{"id":"1"}"#, Some("1"), None),
        ("escaped name and value", r#"{"\u0069d":"\u0041b"}"#, Some("Ab"), None),
        (
            "UUID",
            r#"{"id":"D0000000-0000-4000-8000-00000000000A"}"#,
            Some("d0000000-0000-4000-8000-00000000000a"),
            None,
        ),
        ("the last counts", r#"{"id":1,"id":2}"#, Some("2"), None),
        ("big", r#"{"id":123456789012345678901234567890}"#, Some("123456789012345678901234567890"), None),
        ("null", r#"{"id":null}"#, None, None),
        ("nested only", r#"{"a":{"id":1}}"#, None, None),
        ("a list", r#"{"id":[1]}"#, None, None),
    ] {
        let document = scan(text, Expected::Detail);
        let record = document.records.first().unwrap();
        assert_eq!(record.key, key.map(Key::of_text), "{case}");
        assert_eq!(record.fields, [category.map(Key::of_text)], "{case}");
    }
}

#[test]
fn what_has_no_records_is_said_to_have_none() {
    let wanted = Wanted { key_field: "id", fields: &[], reserved: &RESERVED };
    for text in ["1", "\"a\"", "null", "[1]", "[{\"id\":1},2]"] {
        let document = Document::scan(Bytes::copy_from_slice(text.as_bytes()), Expected::List, &wanted);
        assert!(document.unwrap().is_none(), "{text}");
    }
    for text in ["{\"results\":[1]}", "{\"results\":{}}"] {
        let document = scan(text, Expected::List);
        assert_eq!(document.layout, Layout::Record, "{text}");
    }
    let doubled = Bytes::from_static(br#"{"results":[],"results":[]}"#);
    assert!(Document::scan(doubled, Expected::List, &wanted).is_err());
}

fn arbitrary_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        "[\"\\\\/\n\t{}\\[\\],:]{0,5}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        let name = prop_oneof![
            "[a-c]",
            Just("id".to_owned()),
            Just("files".to_owned()),
            Just("results".to_owned()),
            "\\PC{0,4}"
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..5)
                .prop_map(|members: BTreeMap<String, Value>| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same, with a parser and a map.
fn naive(mut value: Value, expected: Expected, child: &Value) -> Value {
    let extend = |record: &mut Value| {
        if let Some(record) = record.as_object_mut() {
            record.insert("files".to_owned(), json!([child]));
            record.remove(MESH_FIELD).filter(|_| false);
        }
    };
    let is_page = expected == Expected::List
        && value.get("results").and_then(Value::as_array).is_some_and(|all| all.iter().all(Value::is_object));
    match &mut value {
        Value::Array(records) if records.iter().all(Value::is_object) => records.iter_mut().for_each(extend),
        Value::Object(page) if is_page => {
            page.get_mut("results").and_then(Value::as_array_mut).into_iter().flatten().for_each(extend);
        }
        Value::Object(_) => extend(&mut value),
        _ => {}
    }
    value
}

proptest! {
    #[test]
    fn spliced_bytes_mean_what_a_parser_and_a_map_would_make(
        value in arbitrary_value(),
        child in arbitrary_value(),
        is_list in any::<bool>(),
        is_pretty in any::<bool>(),
    ) {
        let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let expected = if is_list { Expected::List } else { Expected::Detail };
        let wanted = Wanted { key_field: "id", fields: &[], reserved: &RESERVED };
        let document = Document::scan(Bytes::from(text.clone()), expected, &wanted).unwrap();
        let outcome = match document {
            None => text.clone().into_bytes(),
            Some(document) => {
                let child = Bytes::from(child.to_string());
                let field = Field { name: "files".to_owned(), lists: vec![vec![child]; document.records.len()] };
                splice(&document, &[field], &[]).to_vec()
            }
        };
        // Both read their numbers from text once, so that they round alike.
        let reread: Value = serde_json::from_str(&text).unwrap();
        let child: Value = serde_json::from_str(&child.to_string()).unwrap();
        let outcome: Value = serde_json::from_slice(&outcome).unwrap();
        prop_assert_eq!(outcome, naive(reread, expected, &child));
    }

    #[test]
    fn arbitrary_bytes_are_json_to_the_scanner_if_they_are_to_a_parser(text in "[\\[\\]{}:,\"\\\\au0-9.eE+ -]{0,24}|\\PC{0,12}") {
        let wanted = Wanted { key_field: "id", fields: &[], reserved: &RESERVED };
        let ours = Document::scan(Bytes::from(text.clone()), Expected::List, &wanted);
        if serde_json::from_str::<Value>(&text).is_ok() {
            prop_assert!(ours.is_ok(), "{:?}", ours);
        } else if ours.is_ok() {
            // Only half surrogate pairs and numbers beyond a parser's range are let through.
            prop_assert!(text.contains("\\u") || text.contains(['e', 'E']) || serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok());
        }
    }
}
