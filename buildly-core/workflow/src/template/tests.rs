use serde_json::{Value, json};

use super::*;
use crate::{Fault, FaultKind, Schema};

fn level(name: &str, kind: Value) -> Value {
    json!({"name": name, "do": kind})
}

fn template(levels: Value) -> Value {
    json!({"name": "example", "levels": levels})
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(level("leaf", json!({"emit": {"event": "x"}})), |inner, number| {
        level(&format!("l{number}"), json!({"sequence": [inner]}))
    })
}

/// A template with everything in it.
pub(crate) fn everything() -> Value {
    json!({
        "format": 1, "name": "onboarding", "title": "Onboarding", "description": "All kinds", "unhandled": "attention",
        "input": {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": false},
        "deadline": "30 days",
        "on": [{"event": {"fault": {"kinds": ["refused"], "statuses": [409], "codes": ["taken"]}},
                "level": level("sorry", json!({"emit": {"event": "x.failed", "payload": "fault"}}))}],
        "levels": [
            {"name": "create", "do": {"call": {"operation": "crm.create", "parameters": {"p": "input.name"}, "body": "{'a': 1}", "result": "answer.body"}},
             "retry": {"attempts": 5, "pause": "2s", "growth_percent": 150, "pause_max": "PT5M"}, "timeout": "10s"},
            {"name": "remove", "compensates": "create", "as": "account:janitor", "do": {"call": {"operation": "crm.remove", "parameters": {"p": "key"}}}},
            {"name": "both", "do": {"parallel": [
                {"name": "ask", "do": {"task": {"group": "managers", "user": "run.starter", "form": {"type": "object"}, "show": "levels.create"}},
                 "deadline": "PT36H", "on": [{"event": "deadline", "interrupting": false, "level": level("remind", json!({"emit": {"event": "x"}}))}]},
                {"name": "look", "after": ["ask"], "join": "any", "as": "completer:ask", "do": {"read": {"records": "crm.contacts", "query": {"q": "'a'"}}}},
            ]}},
            level("pick", json!({"decide": {"branches": [{"if": "true", "level": level("yes", json!({"emit": {"event": "x"}}))}],
                                            "otherwise": level("no", json!({"emit": {"event": "x"}}))}})),
            level("some", json!({"any": {"needed": 1, "levels": [level("s1", json!({"emit": {"event": "x"}}))]}})),
            level("fast", json!({"race": [level("r1", json!({"wait": {"for": "3s"}}))]})),
            level("each", json!({"for_each": {"items": "[1]", "at_once": 3, "bound": 10, "level": level("e1", json!({"emit": {"event": "x", "payload": "item"}}))}})),
            level("again", json!({"loop": {"while": "index < 3", "bound": 10, "level": level("o1", json!({"sequence": []}))}})),
            level("until", json!({"wait": {"until": {"date": "'2026-12-24'", "zone": "Europe/Berlin"}}})),
            {"name": "listen", "deadline": "1h", "do": {"wait": {"signal": {"name": "go", "default": "null"}}}},
            {"name": "sub", "when": "input.name != ''", "do": {"run": {"template": "other", "input": "{}"}}},
        ],
    })
}

#[test]
fn a_template_with_every_kind_is_read_written_and_fits_the_published_schema() {
    let value = everything();
    let template = Template::from_value(&value).unwrap();
    let written = serde_json::to_value(&template).unwrap();
    assert_eq!(Template::from_value(&written).unwrap(), template);
    let schema = Schema::compile(&json_schema()).unwrap();
    assert_eq!(schema.check(&value, "template"), Ok(()));
    assert_eq!(schema.check(&written, "template"), Ok(()), "what we write fits, too");
}

#[test]
fn what_the_parser_refuses_for_its_form_the_published_schema_refuses_too() {
    let schema = Schema::compile(&json_schema()).unwrap();
    for (case, levels) in [
        ("unknown kind", json!([level("a", json!({"dance": {}}))])),
        ("two kinds", json!([level("a", json!({"sequence": [], "parallel": []}))])),
        ("no kind", json!([{"name": "a"}])),
        ("no name", json!([{"do": {"sequence": []}}])),
        ("unknown field of a level", json!([{"name": "a", "do": {"sequence": []}, "retires": 3}])),
        ("unknown field of a kind", json!([level("a", json!({"call": {"operation": "x", "bodi": "1"}}))])),
        ("a wrong actor", json!([{"name": "a", "as": "root", "do": {"sequence": []}}])),
        (
            "a wrong type",
            json!([level(
                "a",
                json!({"for_each": {"items": 3, "level": level("b", json!({"sequence": []}))}})
            )]),
        ),
        ("levels that are no list", json!({"a": 1})),
    ] {
        assert!(Template::from_value(&template(levels.clone())).is_err(), "{case}");
        assert!(schema.check(&template(levels), "template").is_err(), "{case}");
    }
}

#[test]
fn an_error_names_the_innermost_level_and_says_what_was_expected() {
    for (case, levels, expected) in [
        (
            "misspelt field",
            json!([level(
                "outer",
                json!({"parallel": [{"name": "inner", "do": {"sequence": []}, "wen": "x"}]})
            )]),
            "level `inner`: unknown field `wen`",
        ),
        ("misspelt kind", json!([level("a", json!({"cal": {}}))]), "level `a`: unknown variant `cal`"),
        (
            "a length of time",
            json!([{"name": "a", "do": {"wait": {"for": "soon"}}}]),
            "expected a length of time",
        ),
        (
            "an actor",
            json!([{"name": "a", "as": "root", "do": {"sequence": []}}]),
            "expected `starter`, `account:NAME` or `completer:LEVEL`",
        ),
        (
            "in a branch",
            json!([{"name": "a", "do": {"sequence": []}, "on": [{"event": "deadline", "level": {"name": "b"}}]}]),
            "level `b`: missing field `do`",
        ),
    ] {
        let error = Template::from_value(&template(levels)).unwrap_err().to_string();
        assert!(error.contains(expected), "{case}: {error}");
    }
    let error =
        Template::from_value(&json!({"name": "t", "levels": [], "lanes": 1})).unwrap_err().to_string();
    assert!(error.starts_with("level `t`: unknown field `lanes`"), "{error}");
}

#[test]
fn what_is_too_large_too_deep_or_of_another_format_is_refused_with_what_to_do() {
    let many: Vec<Value> =
        (0..LEVELS_MAX + 1).map(|n| level(&format!("l{n}"), json!({"sequence": []}))).collect();
    assert_eq!(Template::from_value(&template(json!(many))), Err(ParseError::TooManyLevels));
    assert!(Template::from_value(&template(json!(many[1..]))).is_ok());
    assert!(Template::from_value(&template(json!([nested(LEVEL_DEPTH_MAX - 1)]))).is_ok());
    assert!(matches!(
        Template::from_value(&template(json!([nested(LEVEL_DEPTH_MAX)]))),
        Err(ParseError::TooDeep { .. })
    ));
    let thousand = format!(
        "{}{}",
        "{\"name\":\"t\",\"levels\":[{\"name\":\"a\",\"do\":{\"sequence\":[".repeat(1_000),
        "]"
    );
    assert!(matches!(Template::from_json(thousand.as_bytes()), Err(ParseError::TooDeep { .. })));
    assert!(matches!(
        Template::from_json(&vec![b' '; TEMPLATE_BYTES_MAX + 1]),
        Err(ParseError::TooLarge { .. })
    ));
    assert!(matches!(Template::from_json(b"name: yaml"), Err(ParseError::NotJson { .. })));
    assert!(matches!(Template::from_json(br#"{"format": 2}"#), Err(ParseError::Format { format: 2 })));
}

#[test]
fn the_hash_counts_what_is_done_and_not_how_it_is_described() {
    let of = |change: &dyn Fn(&mut Value)| {
        let mut value = everything();
        change(&mut value);
        Template::from_value(&value).unwrap().hash()
    };
    let hash = of(&|_| {});
    assert_eq!(of(&|value| value["title"] = json!("Another title")), hash);
    assert_eq!(of(&|value| value["levels"][0]["description"] = json!("words")), hash);
    assert_eq!(of(&|value| value["levels"][2]["do"]["parallel"][0]["title"] = json!("words")), hash);
    assert_eq!(of(&|value| value["on"][0]["level"]["title"] = json!("words")), hash);
    assert_ne!(of(&|value| value["input"]["title"] = json!("a form's title is what a person answers")), hash);
    assert_ne!(of(&|value| value["levels"][0]["timeout"] = json!("11s")), hash);
    assert_ne!(of(&|value| value["name"] = json!("other")), hash);
    let text = hash.to_string();
    assert_eq!(text.parse::<TemplateHash>().unwrap(), hash);
    assert!("xyz".parse::<TemplateHash>().is_err());
}

#[test]
fn lengths_of_time_are_read_in_both_spellings() {
    for (text, seconds) in
        [("30s", 30), ("2 days", 172_800), ("P1DT12H", 129_600), ("1h 30m", 5_400), ("PT0.5S", 0)]
    {
        assert_eq!(text.parse::<Delay>().unwrap().duration().as_secs(), seconds, "{text}");
    }
    for text in ["", "soon", "-3s", "3 months", "12"] {
        assert!(text.parse::<Delay>().is_err(), "{text}");
    }
}

#[test]
fn a_filter_catches_what_it_names() {
    let fault =
        Fault { status: Some(409), code: Some("taken".to_owned()), ..Fault::new(FaultKind::Refused, "") };
    let filter = |kinds: &[FaultKind], statuses: &[u16], codes: &[&str]| FaultFilter {
        kinds: kinds.to_vec(),
        statuses: statuses.to_vec(),
        codes: codes.iter().map(|code| (*code).to_owned()).collect(),
    };
    for (case, filter, expected) in [
        ("anything", filter(&[], &[], &[]), true),
        ("its kind", filter(&[FaultKind::Refused, FaultKind::Join], &[], &[]), true),
        ("another kind", filter(&[FaultKind::Timeout], &[], &[]), false),
        ("kind and another status", filter(&[FaultKind::Refused], &[404], &[]), false),
        ("its status and code", filter(&[], &[409], &["taken"]), true),
        ("another code", filter(&[], &[], &["other"]), false),
    ] {
        assert_eq!(filter.catches(&fault), expected, "{case}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = Template::from_json(&bytes);
    }

    /// A template with one place of it changed to something else.
    #[test]
    fn no_broken_template_makes_it_panic(place in 0_usize..200, with in 0_usize..6) {
        let mut value = everything();
        let mut left = place;
        change(&mut value, &mut left, &[json!(null), json!(1), json!("x"), json!([]), json!({}), json!([{"name": 3}])][with]);
        if let Ok(template) = Template::from_value(&value)
            && let Ok(compiled) = crate::compile(&template)
        {
            let _ = crate::check(&compiled, &crate::check::tests::Nothing);
        }
    }
}

fn change(value: &mut Value, left: &mut usize, with: &Value) {
    if *left == 0 {
        *value = with.clone();
    }
    *left = left.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change(item, left, with)),
        Value::Object(members) => members.values_mut().for_each(|member| change(member, left, with)),
        _ => {}
    }
}

#[test]
fn the_corpus_of_the_fuzzer_makes_nothing_panic() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/template");
    let (mut files, mut compiled) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let template = Template::from_json(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
        compiled += usize::from(template.is_ok_and(|template| crate::compile(&template).is_ok()));
    }
    assert!(files >= 10, "{files} files");
    assert!(compiled >= 1, "no template of the corpus is one");
}
