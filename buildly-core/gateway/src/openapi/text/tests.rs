use proptest::prelude::*;

use super::super::{Api, Document};
use super::*;

fn refusal(text: &str) -> String {
    Document::read(text).unwrap_err().to_string()
}

#[test]
fn what_is_no_document_is_named() {
    for (text, expected) in [
        ("", "got an empty text"),
        ("  \n", "got an empty text"),
        ("<!DOCTYPE html><html>", "got a page that begins with `<!DOCTYPE html><html>`"),
        ("Not found", "got the text `Not found`"),
        ("[]", "got a list"),
        ("{}", "got an empty object"),
        (r#"{"detail": "x"}"#, "got an object with `detail`"),
        (r#"{"swagger": "1.2", "paths": {}}"#, "got one of version `1.2`"),
        (r#"{"openapi": "3.0.0"}"#, "without an object `paths`"),
        (r#"{"openapi": "3.0.0", "paths": []}"#, "without an object `paths`"),
        (r#"{"openapi": "3.0.0", "paths": {"#, "got JSON that breaks off"),
        ("a: b: c", "neither JSON nor YAML (line 1"),
        ("42", "got `42`"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(expected), "{text:?}: {refusal}");
    }
}

#[test]
fn a_version_written_as_a_number_is_a_version() {
    for text in ["swagger: 2.0\npaths: {}", "openapi: 3.0\npaths: {}", "openapi: 3\npaths: {}"] {
        assert!(Document::read(text).is_ok(), "{text}");
    }
}

#[test]
fn fifty_megabytes_are_refused_by_their_size() {
    let text = " ".repeat(50 * 1024 * 1024);
    assert_eq!(refusal(&text), "the document has 52428800 bytes; at most 20971520 are read");
}

#[test]
fn nesting_a_hundred_thousand_deep_is_refused() {
    let deep = 100_000;
    for text in [
        "[".repeat(deep),
        "{\"a\":".repeat(deep),
        format!("a: {}", "[".repeat(deep)),
        format!("a: {}", "{b: ".repeat(deep)),
        "- ".repeat(deep),
        "? ".repeat(deep),
        (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
    ] {
        let refusal = refusal(&text);
        assert!(
            refusal.contains("nested too deep") || refusal.contains("neither JSON nor YAML"),
            "{}: {refusal}",
            beginning(&text)
        );
    }
}

#[test]
fn aliases_that_unfold_without_end_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![alias; 9].join(", ")));
    }
    assert!(refusal(&text).contains("once its aliases are unfolded"), "{}", refusal(&text));
    assert!(refusal("a: &a [*a]").contains("alias to itself"), "{}", refusal("a: &a [*a]"));
}

#[test]
fn yaml_is_read_as_the_values_of_json() {
    let text = "
a: &shared {x: 1, y: [true, ~, 'no', 1.5, 0x10, 007, .5, -3, 1e3]}
b:
  <<: *shared
  x: 2
200: ok
? quoted key
: !!str 12
c: |
  two
  lines
d: 2020-01-01
e: 3.1.0
f: .nan
";
    let expected = serde_json::json!({
        "a": {"x": 1, "y": [true, null, "no", 1.5, 16, 7, 0.5, -3, 1000.0]},
        "b": {"x": 2, "y": [true, null, "no", 1.5, 16, 7, 0.5, -3, 1000.0]},
        "200": "ok", "quoted key": "12", "c": "two\nlines\n", "d": "2020-01-01", "e": "3.1.0", "f": ".nan",
    });
    assert_eq!(read(text).unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = Api::read(&text);
    }

    #[test]
    fn no_yaml_makes_the_reader_panic(text in "[-a:&*?\\[\\]{}|>!%'\"# \n\t<,.~@`\\\\0é]{0,120}") {
        let _ = Api::read(&text);
    }

    #[test]
    fn no_document_of_odd_values_makes_the_reader_panic(
        paths in "[/{}a#?~%]{0,12}",
        value in prop_oneof![
            Just("null".to_owned()), Just("7".to_owned()), Just("[{}]".to_owned()),
            Just(r##"{"get": {"parameters": [{"$ref": "#/paths"}], "security": [[], {"a": 1}]}}"##.to_owned()),
            Just(r#"{"get": {"parameters": [{"in": "path", "name": "a", "schema": {"type": [7]}}]}}"#.to_owned()),
        ],
        version in prop_oneof![Just("2.0"), Just("3.0.1"), Just("3.1.0")],
    ) {
        let key = if version == "2.0" { "swagger" } else { "openapi" };
        let text = format!(r#"{{"{key}": "{version}", "servers": {value}, "paths": {{"{paths}": {value}}}}}"#);
        prop_assert!(Api::read(&text).is_ok(), "{}", text);
    }
}
