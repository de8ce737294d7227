use super::*;

fn check(text: &[u8]) -> Result<(), Malformed> {
    let mut scanner = Scanner::new(text)?;
    scanner.value(0)?;
    scanner.end()
}

#[test]
fn only_json_is_taken_for_json() {
    for text in [
        "0",
        "-0.5e+10",
        "1E9",
        "123456789012345678901234567890",
        "\"\"",
        r#""\u00e4\ud83d\ude00\/\n""#,
        "null",
        " [ ] ",
        "[1 , {\"a\" : [ ] , \"b\":{}}]",
        "{\"\":0}",
        "\"ß\u{1f600}\"",
        r#""\ud83d""#,
    ] {
        assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
    }
    for text in [
        "",
        " ",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "-",
        "tru",
        "nul",
        "NaN",
        "'a'",
        "\"",
        "\"\n\"",
        r#""\x""#,
        r#""\u12g4""#,
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[1]]",
        "1 2",
        "[}",
        "{]",
    ] {
        assert!(check(text.as_bytes()).is_err(), "{text}");
        assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
    }
    assert!(check(b"\"\xff\"").is_err() && check(b"\"\xc3\"").is_err(), "not UTF-8");
}

#[test]
fn nesting_ends_at_its_limit_and_never_the_stack() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(check(nested(128).as_bytes()), Ok(()));
    assert_eq!(check(nested(129).as_bytes()).unwrap_err().reason, "nested too deeply");
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(check(objects.as_bytes()).unwrap_err().reason, "nested too deeply");
    let mixed = format!("{}1{}", "[{\"a\":".repeat(64), "}]".repeat(64));
    assert_eq!(check(mixed.as_bytes()), Ok(()));
}

#[test]
fn escapes_resolve_as_parsers_have_it() {
    for text in [r#""a\u0041\n\"\\\/\b\f\r\t""#, r#""\ud83d\ude00x\u00e4""#, r#""plain ß""#, r#""""#] {
        let mut scanner = Scanner::new(text.as_bytes()).unwrap();
        let found = scanner.text().unwrap();
        let expected: String = serde_json::from_str(text).unwrap();
        assert_eq!(scanner.resolve(&found), expected, "{text}");
    }
    let mut half = Scanner::new(br#""a\ud83dz""#).unwrap();
    let found = half.text().unwrap();
    assert_eq!(half.resolve(&found), "a\u{fffd}z");
}
