use serde_json::json;

use super::{Finding, Operation, Outside, Parameter, Severity, check, check_structure};
use crate::compile;
use crate::template::{BranchEvent, Delay, FaultFilter, Level, Template};

/// A world without anything.
pub(crate) struct Nothing;

impl Outside for Nothing {
    fn find_operation(&self, _: &str) -> Option<Operation> {
        None
    }
    fn has_records(&self, _: &str) -> bool {
        false
    }
    fn has_group(&self, _: &str) -> bool {
        false
    }
    fn may_use_account(&self, _: &str) -> bool {
        false
    }
    fn has_template(&self, _: &str) -> bool {
        false
    }
}

/// A world that has everything; operations whose name ends in `_by` need `uuid`.
struct World;

impl Outside for World {
    fn find_operation(&self, operation: &str) -> Option<Operation> {
        let parameters = if operation.ends_with("_by") {
            vec![Parameter { name: "uuid".to_owned(), required: true }]
        } else {
            vec![]
        };
        Some(Operation { parameters, needs_body: operation.contains("create") })
    }
    fn has_records(&self, _: &str) -> bool {
        true
    }
    fn has_group(&self, _: &str) -> bool {
        true
    }
    fn may_use_account(&self, _: &str) -> bool {
        true
    }
    fn has_template(&self, _: &str) -> bool {
        true
    }
}

fn call(name: &str) -> Level {
    Level::call(name, format!("svc.{name}"))
}

fn errors_in(outside: &dyn Outside, levels: Vec<Level>) -> Vec<String> {
    let mut template = Template::new("example", levels);
    template.input = Some(json!({"properties": {"name": {}}, "additionalProperties": false}));
    let findings = check(&compile(&template).unwrap(), outside);
    let errors = findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    errors
        .map(|Finding { level, reason, mending, .. }| {
            assert!(!mending.is_empty());
            format!("{level}: {reason}")
        })
        .collect()
}

fn errors(levels: Vec<Level>) -> Vec<String> {
    errors_in(&World, levels)
}

#[test]
fn a_sound_template_has_no_findings() {
    let template = Template::from_value(&crate::template::tests::everything()).unwrap();
    let compiled = compile(&template).unwrap();
    struct Takes;
    impl Outside for Takes {
        fn find_operation(&self, _: &str) -> Option<Operation> {
            Some(Operation {
                parameters: vec![Parameter { name: "p".to_owned(), required: true }],
                needs_body: false,
            })
        }
        fn has_records(&self, _: &str) -> bool {
            true
        }
        fn has_group(&self, _: &str) -> bool {
            true
        }
        fn may_use_account(&self, _: &str) -> bool {
            true
        }
        fn has_template(&self, _: &str) -> bool {
            true
        }
    }
    assert_eq!(check(&compiled, &Takes), []);
}

#[test]
fn what_the_world_lacks_is_found() {
    let found = errors_in(
        &Nothing,
        vec![
            call("a").account("robot"),
            Level::read("r", "crm.contacts"),
            Level::task("t").group("managers"),
            Level::run("s", "other"),
        ],
    );
    for expected in [
        "a: there is no operation `svc.a`",
        "a: there is no service account that you may use named `robot`",
        "r: there is no record type `crm.contacts`",
        "t: there is no group `managers`",
        "s: there is no published template `other`",
    ] {
        assert!(found.iter().any(|finding| finding == expected), "{expected}: {found:?}");
    }
    assert_eq!(found.len(), 5);
}

#[test]
fn a_mapping_gives_what_the_operation_takes() {
    assert_eq!(errors(vec![call("find_by")]), ["find_by: the operation needs `uuid`"]);
    assert_eq!(errors(vec![call("find").parameter("id", "1")]), ["find: the operation takes no `id`"]);
    assert_eq!(errors(vec![call("create")]), ["create: the operation needs a body"]);
    assert_eq!(
        errors(vec![call("create_by").parameter("uuid", "input.name").body("{}")]),
        Vec::<String>::new()
    );
}

#[test]
fn a_stage_cannot_need_more_than_it_can_get() {
    let never = || call("never").when("false");
    for (case, levels, is_found) in [
        ("two of two", vec![Level::any("any", 2, [call("a"), call("b")])], false),
        ("three of two", vec![Level::any("any", 3, [call("a"), call("b")])], true),
        ("none", vec![Level::any("any", 0, [call("a")])], true),
        ("two of two, one never", vec![Level::any("any", 2, [call("a"), never()])], true),
        ("a race of nobody", vec![Level::race("any", [])], true),
        (
            "one that can be skipped is enough to be possible",
            vec![Level::any("any", 1, [call("a").when("input.name == ''")])],
            false,
        ),
    ] {
        assert_eq!(
            errors(levels).iter().any(|finding| finding.starts_with("any: it needs")),
            is_found,
            "{case}"
        );
    }
}

#[test]
fn a_template_that_cannot_complete_says_so() {
    let endless = || Level::repeat("endless", "true", 5, call("a"));
    let found = errors(vec![endless()]);
    assert_eq!(
        found,
        [
            "endless: its condition is always true, so that it fails after 5 rounds",
            "example: no run of it can complete"
        ]
    );
    let rescued =
        Level::sequence("stage", [endless()]).on(BranchEvent::Fault(FaultFilter::default()), call("rescue"));
    assert_eq!(errors(vec![rescued]).len(), 1, "a branch lets it complete");
}

#[test]
fn circles_of_links_and_order_are_found_however_they_run() {
    let sequence = |name: &str, levels: Vec<Level>| Level::sequence(name, levels);
    for (case, levels, circular) in [
        ("forward in a sequence", vec![call("a"), call("b").after("a")], 0),
        ("backward in a sequence", vec![call("a").after("b"), call("b")], 1),
        (
            "two that wait for each other",
            vec![Level::parallel("p", [call("a").after("b"), call("b").after("a")])],
            2,
        ),
        (
            "three",
            vec![Level::parallel("p", [call("a").after("c"), call("b").after("a"), call("c").after("b")])],
            3,
        ),
        (
            "across two sequences",
            vec![Level::parallel(
                "p",
                [
                    sequence("s", vec![call("a").after("d"), call("b")]),
                    sequence("t", vec![call("c").after("b"), call("d")]),
                ],
            )],
            2,
        ),
        ("its own stage", vec![sequence("s", vec![call("a").after("s")])], 1),
        ("a part of itself", vec![sequence("s", vec![call("a")]).after("a")], 1),
        (
            "crossing, but sound",
            vec![Level::parallel(
                "p",
                [
                    sequence("s", vec![call("a"), call("b").after("c")]),
                    sequence("t", vec![call("c"), call("d").after("a")]),
                ],
            )],
            0,
        ),
        (
            "after a circle",
            vec![Level::parallel(
                "p",
                [call("a").after("b"), call("b").after("a"), call("c").after("a"), call("d").after("c")],
            )],
            2,
        ),
    ] {
        let found = errors(levels);
        let circles = found.iter().filter(|finding| finding.contains("which waits for it")).count();
        assert_eq!(circles, circular, "{case}: {found:?}");
    }
}

#[test]
fn a_link_does_not_cross_what_runs_many_times_or_beside() {
    for (case, inner) in [
        ("items", Level::for_each("stage", "[]", 1, call("a"))),
        ("rounds", Level::repeat("stage", "index < 2", 5, call("a"))),
        ("branch", call("stage").on(BranchEvent::Fault(FaultFilter::default()), call("a"))),
    ] {
        let found = errors(vec![inner, call("b").after("a")]);
        assert!(
            found.iter().any(|finding| finding.starts_with("b: the link from `a` crosses")),
            "{case}: {found:?}"
        );
    }
    let inside = Level::for_each("stage", "[]", 1, Level::parallel("p", [call("a"), call("b").after("a")]));
    assert_eq!(errors(vec![inside]), Vec::<String>::new(), "inside of one item it is clear which is meant");
}

#[test]
fn a_level_that_waits_for_what_never_runs_is_found_along_the_chain() {
    let p = Level::parallel(
        "p",
        [
            call("a").when("false"),
            call("b").after("a"),
            call("c").after("b"),
            call("d").after("a").after("e").after_any(),
            call("e"),
        ],
    );
    let found = errors(vec![p]);
    let dead: Vec<_> = found
        .iter()
        .filter(|finding| finding.contains("never runs"))
        .filter_map(|finding| finding.get(..1))
        .collect();
    assert_eq!(dead, ["a", "b", "c"], "{found:?}");
}

#[test]
fn what_a_text_alone_shows_needs_no_world() {
    let template = Template::new(
        "example",
        [
            call("a").account("robot").body("levels.nobody"),
            Level::task("t").group("managers"),
            Level::run("s", "other"),
        ],
    );
    let findings = check_structure(&compile(&template).unwrap());
    let of: Vec<_> = findings.iter().map(|finding| (finding.level.as_str(), finding.severity)).collect();
    assert_eq!(of, [("a", Severity::Error), ("t", Severity::Warning)], "{findings:?}");
}

#[test]
fn whoever_waits_without_a_limit_is_warned_of() {
    let template = Template::new(
        "example",
        [
            Level::wait_signal("s", "go"),
            Level::task("t").group("g").deadline(Delay::from_seconds(60)),
            Level::task("u").group("g"),
            Level::task("nobody").deadline(Delay::from_seconds(60)),
        ],
    );
    let findings = check(&compile(&template).unwrap(), &World);
    let of: Vec<_> = findings.iter().map(|finding| (finding.level.as_str(), finding.severity)).collect();
    assert_eq!(of, [("s", Severity::Warning), ("u", Severity::Warning), ("nobody", Severity::Error)]);
}

#[test]
fn expressions_read_what_is_there_and_are_of_the_type_that_is_needed() {
    let handler = || Level::emit("rescue", "x").body("fault.message");
    for (case, level, expected) in [
        ("an unknown variable", call("a").body("inptu.name"), "a: there is no variable `inptu`"),
        ("an unknown level", call("a").body("levels.nobody"), "a: there is no level `nobody`"),
        (
            "a field that the schema excludes",
            call("a").body("input.mane"),
            "a: the schema of the input has no `mane`",
        ),
        ("an item outside of a for-each", call("a").body("item"), "a: `item` is not there at this place"),
        ("an answer outside of `result`", call("a").body("answer"), "a: `answer` is not there at this place"),
        (
            "a text for a condition",
            call("a").when("'yes'"),
            "a: `'yes'` is a text, but true or false is needed",
        ),
        (
            "a truth for a list",
            Level::for_each("f", "1 == 1", 1, call("a")),
            "f: `1 == 1` is true or false, but a list is needed",
        ),
        (
            "a result from inside of a for-each",
            Level::sequence("s", [Level::for_each("f", "[]", 1, call("a")), call("b").body("levels.a")]),
            "b: `a` runs many times, in `f`",
        ),
    ] {
        assert_eq!(errors(vec![level]), [expected], "{case}");
    }
    for (case, level) in [
        (
            "an item in a for-each",
            Level::for_each(
                "f",
                "[]",
                1,
                Level::sequence("s", [call("a").body("item + index"), call("b").body("levels.a")]),
            ),
        ),
        ("the last round", Level::repeat("l", "last.more", 5, call("a").body("last"))),
        ("a fault in a branch", call("a").on(BranchEvent::Fault(FaultFilter::default()), handler())),
        ("an answer in `result`", call("a").result("answer.body")),
        ("a name of its own", call("a").body("[1].map(x, x)")),
    ] {
        assert_eq!(errors(vec![level]), Vec::<String>::new(), "{case}");
    }
}

#[test]
fn ten_thousand_levels_with_links_are_checked() {
    let levels = (0..9_000).map(|number| {
        let level = call(&format!("l{number}"));
        if number > 0 { level.after(format!("l{}", number - 1)) } else { level }
    });
    let found = errors(vec![Level::parallel("p", levels)]);
    assert_eq!(found, Vec::<String>::new());
}
