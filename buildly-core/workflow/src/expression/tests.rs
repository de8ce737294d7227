use std::borrow::Cow;

use serde_json::{Value, json};

use super::{EXPRESSION_BYTES_MAX, Expression, ExpressionError, Read, Variables};

struct Given(Value);

impl Variables for Given {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }

    fn member(&self, root: &str, member: &str) -> Option<Cow<'_, Value>> {
        self.0.get(root)?.get(member).map(Cow::Borrowed)
    }

    fn has_members(&self, root: &str) -> bool {
        self.0.get(root).is_some_and(Value::is_object)
    }
}

fn evaluate(source: &str, given: Value) -> Result<Value, ExpressionError> {
    Expression::compile(source)?.evaluate(&Given(given))
}

#[test]
fn expressions_compute_json_from_json() {
    let given = json!({"input": {"name": "ada", "n": 3, "f": 1.5, "list": [1, 2, 3, 4], "nothing": null, "deep": {"x": {"y": 7}}}});
    for (source, expected) in [
        ("input.name", json!("ada")),
        ("input.n + 1", json!(4)),
        ("input.f * 2.0", json!(3.0)),
        ("input.list.filter(x, x % 2 == 0).map(x, x * input.n)", json!([6, 12])),
        ("input.list.exists(x, x == 4) && input.list.all(x, x > 0)", json!(true)),
        (
            "{'who': input.name, 'z': null, 'list': [1, [2]]}",
            json!({"who": "ada", "z": null, "list": [1, [2]]}),
        ),
        ("has(input.missing) ? 1 : 2", json!(2)),
        ("input.deep.x.y", json!(7)),
        ("input['deep']['x'].y", json!(7)),
        ("size(input.list) + size(input.name)", json!(7)),
        ("input.nothing == null", json!(true)),
        ("input.name.startsWith('a') ? 'A' + input.name : ''", json!("Aada")),
        ("4 in input.list", json!(true)),
        ("input.list.map(x, input.list.filter(y, y < x))", json!([[], [1], [1, 2], [1, 2, 3]])),
        ("[[1, 2], [3]].map(l, l.map(x, x + 1))", json!([[2, 3], [4]])),
        ("input.n == 3.0", json!(true)),
    ] {
        assert_eq!(evaluate(source, given.clone()), Ok(expected), "{source}");
    }
}

#[test]
fn what_has_no_value_is_an_error_that_names_the_expression() {
    for source in [
        "input.missing",
        "1 / 0",
        "input + 1",
        "nobody.here",
        "input.n.m",
        "9223372036854775807 + 1",
        "b'abc'",
        "0.0 / 0.0",
        "[1][5]",
    ] {
        let error = evaluate(source, json!({"input": {"n": 1}})).unwrap_err();
        assert!(matches!(error, ExpressionError::NoValue { .. }), "{source}: {error}");
        assert!(error.to_string().contains(source), "{error}");
    }
}

#[test]
fn what_is_no_cel_or_too_large_is_refused_when_it_is_compiled() {
    let deep_brackets = format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000));
    let long_chain = format!("1{}", " + 1".repeat(1_000));
    let long_text = "x".repeat(EXPRESSION_BYTES_MAX + 1);
    let ternaries = format!("{}1", "true ? 1 : ".repeat(300));
    let nots = format!("{}true", "!".repeat(4_000));
    let minus = format!("{}1", "-".repeat(4_000));
    let members = format!("a{}", ".b".repeat(2_000));
    for source in [
        "",
        "1 +",
        "input.",
        "'open",
        "a b",
        "}{",
        &deep_brackets,
        &long_chain,
        &long_text,
        &ternaries,
        &members,
    ] {
        assert!(Expression::compile(source).is_err(), "{}", source.chars().take(40).collect::<String>());
    }
    for source in [nots, minus] {
        // Either is fine; it must only come to an end.
        let _ = Expression::compile(&source).map(|expression| expression.evaluate(&Given(json!({}))));
    }
}

#[test]
fn what_costs_too_much_stops() {
    let list: Vec<u32> = (0..3_000).collect();
    let text = "x".repeat(100_000);
    for source in [
        "input.list.map(a, input.list.map(b, a + b))",
        "input.list.exists(a, input.list.exists(b, a + b < 0))",
        "input.list.all(a, input.list.filter(b, b > a) == input.list.filter(b, b > a) || true)",
        "input.list.map(a, input.list)",
        "input.list.map(a, input.text + input.text)",
        "input.list.filter(a, input.text == input.text)",
        "input.list.filter(a, !(a in input.list) || true)",
        "true || input.list.exists(a, input.list.exists(b, input.list.exists(c, a + b + c < 0)))",
        "[input.text].map(a, a+a+a+a+a+a+a+a).map(a, a+a+a+a+a+a+a+a).map(a, a+a+a+a+a+a+a+a).map(a, a+a+a+a+a+a+a+a)",
    ] {
        let result = evaluate(source, json!({"input": {"list": list, "text": text}}));
        let is_short_cut = source.starts_with("true ||");
        assert_eq!(
            matches!(result, Err(ExpressionError::TooCostly { .. })),
            !is_short_cut,
            "{source}: {}",
            result.is_ok()
        );
    }
}

#[test]
fn an_ordinary_amount_of_work_is_within_the_cost() {
    let items: Vec<Value> =
        (0..5_000).map(|n| json!({"id": n, "done": n % 2 == 0, "name": "a name of a person"})).collect();
    let result =
        evaluate("input.items.filter(i, i.done).map(i, i.id)", json!({"input": {"items": items}})).unwrap();
    assert_eq!(result.as_array().unwrap().len(), 2_500);
}

#[test]
fn an_expression_says_what_it_reads() {
    let reads = |source: &str| {
        let expression = Expression::compile(source).unwrap();
        expression
            .reads()
            .iter()
            .map(|Read { root, member }| {
                member.as_ref().map_or(root.clone(), |member| format!("{root}.{member}"))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(reads("levels.a.x + input.b"), ["input.b", "levels.a"]);
    assert_eq!(reads("input.list.map(input, input.x)"), ["input.list"]);
    assert_eq!(
        reads("levels.list.filter(x, x > input.least).map(x, has(levels.b))"),
        ["input.least", "levels.b", "levels.list"]
    );
    assert_eq!(reads("levels['a'] == input"), ["input", "levels"]);
    assert_eq!(reads("1 + 1"), Vec::<String>::new());
}

#[test]
fn the_type_of_a_result_is_checked() {
    let given = Given(json!({"input": {"n": 1}}));
    let compile = |source: &str| Expression::compile(source).unwrap();
    assert!(matches!(compile("input.n").evaluate_bool(&given), Err(ExpressionError::WrongType { .. })));
    assert!(matches!(compile("input.n").evaluate_text(&given), Err(ExpressionError::WrongType { .. })));
    assert!(matches!(compile("input").evaluate_list(&given), Err(ExpressionError::WrongType { .. })));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(source in "[-a-z0-9.+*/%()\\[\\]{}?:&|!<>=' \",]{0,60}") {
        if let Ok(expression) = Expression::compile(&source) {
            let _ = expression.evaluate(&Given(json!({"a": [1, 2], "b": "text", "c": {"d": 1}})));
        }
    }
}
