use serde_json::json;

use crate::template::{Delay, Level, Template};
use crate::{Finding, NodeKind, Target, compile};

fn call(name: &str) -> Level {
    Level::call(name, format!("svc.{name}"))
}

fn findings(levels: Vec<Level>) -> Vec<String> {
    let findings = compile(&Template::new("example", levels)).err().unwrap_or_default();
    findings.iter().map(|Finding { level, reason, .. }| format!("{level}: {reason}")).collect()
}

#[test]
fn the_flat_form_is_in_pre_order_and_knows_its_subtrees() {
    let template = Template::new(
        "example",
        [
            Level::parallel("p", [call("a"), Level::sequence("s", [call("b"), call("c")])]),
            call("d").after("b"),
        ],
    );
    let compiled = compile(&template).unwrap();
    let shape: Vec<_> = compiled.nodes.iter().map(|node| (node.name.as_str(), node.end)).collect();
    assert_eq!(shape, [("example", 7), ("p", 6), ("a", 3), ("s", 6), ("b", 5), ("c", 6), ("d", 7)]);
    assert_eq!(compiled.find("s").unwrap().children.len(), 2);
    assert_eq!(compiled.links.len(), 1);
    assert_eq!(compiled.find("d").unwrap().incoming[..], [0]);
    assert_eq!(compiled.hash, template.hash());
}

#[test]
fn a_compensation_belongs_to_its_level_and_not_to_the_order() {
    let undo = call("undo").compensates("a").account("janitor");
    let compiled = compile(&Template::new("example", [call("a"), undo])).unwrap();
    let (a, undo) = (compiled.find("a").unwrap(), compiled.find("undo").unwrap());
    assert_eq!((a.undo, undo.compensates), (Some(undo.id), Some(a.id)));
    assert_eq!(compiled.nodes[0].children[..], [a.id]);
    assert!(
        matches!(&undo.kind, NodeKind::Call { target: Target::Operation(name), .. } if name == "svc.undo")
    );
}

#[test]
fn everything_that_is_wrong_is_found_at_once_and_named() {
    let zero_bound = Level::repeat("l", "true", 0, call("in_l"));
    for (case, levels, expected) in [
        ("two of a name", vec![call("a"), call("a")], "a: there are two levels of this name"),
        ("the name of the template", vec![call("example")], "example: there are two levels of this name"),
        ("a name with a blank", vec![call("a b")], "a b: this cannot be a name"),
        ("a link to nobody", vec![call("a").after("b")], "a: `after` names `b`, which does not exist"),
        ("a link to itself", vec![call("a").after("a")], "a: it waits for itself"),
        ("CEL that is none", vec![call("a").when("1 +")], "a: expected CEL"),
        (
            "a schema that is none",
            vec![Level::task("t").form(json!({"type": 3}))],
            "t: `form`: expected a JSON Schema",
        ),
        (
            "a schema from elsewhere",
            vec![Level::task("t").form(json!({"$ref": "http://example.com/s.json"}))],
            "t: `form`: expected a JSON Schema",
        ),
        ("no bound", vec![zero_bound], "l: `bound` is 0"),
        ("no window", vec![Level::for_each("f", "[]", 0, call("a"))], "f: `at_once` is 0"),
        (
            "a zone that is none",
            vec![Level::wait_until("w", "'x'", "Mars/Olympus")],
            "w: `Mars/Olympus` is no time zone",
        ),
        (
            "a compensation that is no call",
            vec![call("a"), Level::task("t").compensates("a").account("j")],
            "t: only a call can undo something",
        ),
        (
            "a compensation by the starter",
            vec![call("a"), call("u").compensates("a")],
            "u: what undoes must not depend",
        ),
        (
            "a compensation with a condition",
            vec![call("a"), call("u").compensates("a").account("j").when("true")],
            "u: what undoes runs whenever",
        ),
        (
            "two compensations",
            vec![call("a"), call("u").compensates("a").account("j"), call("v").compensates("a").account("j")],
            "v: `a` is undone by another level already",
        ),
        (
            "a completer of no task",
            vec![call("a"), Level { actor: crate::template::Actor::Completer("a".to_owned()), ..call("b") }],
            "b: `as` names `a`, which is no task",
        ),
        (
            "a branch for no deadline",
            vec![call("a").on(crate::template::BranchEvent::Deadline, call("b"))],
            "a: a branch waits for the deadline, but there is none",
        ),
    ] {
        let findings = findings(levels);
        assert!(findings.iter().any(|finding| finding.starts_with(expected)), "{case}: {findings:?}");
    }
    assert_eq!(findings(vec![call("A"), call("b").when("!"), call("c").after("nobody")]).len(), 3);
}

#[test]
fn what_a_builder_nests_too_deep_or_too_long_is_refused() {
    let deep = (0..100).fold(call("leaf"), |inner, number| Level::sequence(format!("l{number}"), [inner]));
    assert_eq!(findings(vec![deep]).len(), 1);
    let many = (0..10_001).map(|number| Level::wait(format!("l{number}"), Delay::from_seconds(1))).collect();
    assert_eq!(findings(many).len(), 1);
}

#[test]
fn ten_thousand_levels_compile() {
    let levels = (0..9_999).map(|number| Level::wait(format!("l{number}"), Delay::from_seconds(1)));
    assert_eq!(compile(&Template::new("example", levels)).unwrap().nodes.len(), 10_000);
}
