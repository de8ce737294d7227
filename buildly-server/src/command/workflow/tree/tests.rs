use serde_json::json;

use super::*;

fn shown(live: &Value) -> Vec<String> {
    let tree = json!([
        {"level": "order", "text": "order: workflow", "mark": "live"},
        {"level": "a", "text": "  a: calls x.y", "mark": "failed"},
        {"level": "b", "text": "  b: task for Managers", "mark": null},
    ]);
    rows(&json!({"run": {"live": live}, "tree": tree})).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn a_level_says_what_it_waits_for() {
    let entry = |phase: &str| json!([{"level": "order", "phase": phase, "attempt": 2, "activation": 1}]);
    for (phase, expected) in [
        ("joining", "order: workflow [live]"),
        ("calling", "order: workflow [live, attempt 2]"),
        ("task", "order: workflow [live, a person has to do it]"),
        ("something new", "order: workflow [live]"),
    ] {
        assert_eq!(shown(&entry(phase))[0], expected, "{phase}");
    }
    let due = json!([{"level": "order", "phase": "waiting", "deadline": "2026-11-27T01:02:03.456Z"}]);
    assert_eq!(shown(&due)[0], "order: workflow [live, until 2026-11-27T01:02:03Z]");
    assert_eq!(shown(&json!([]))[2], "  b: task for Managers");
}

#[test]
fn a_level_that_needs_attention_says_why_and_where_it_is_many_says_which() {
    let stuck = |number: u64| json!({"level": "a", "phase": "stuck", "activation": number, "fault": {"message": "no credit"}});
    assert_eq!(shown(&json!([stuck(4)]))[1], "  a: calls x.y [needs attention, no credit]");
    let both = json!([stuck(4), stuck(7)]);
    assert_eq!(shown(&both)[1], "  a: calls x.y [needs attention, number 4, 7: no credit]");
}

#[test]
fn what_became_of_a_run_is_told_in_a_line() {
    for (run, expected) in [
        (json!({"status": "completed", "result": {"a": 1}}), "completed: {\"a\":1}\n"),
        (
            json!({"status": "compensated", "fault": {"level": "pay", "message": "no credit"}}),
            "compensated: pay: no credit\n",
        ),
        (json!({"status": "cancelled", "reason": "too late"}), "cancelled: too late\n"),
        (json!({"status": "needs_attention"}), "needs attention\n"),
    ] {
        assert_eq!(outcome(&run), expected);
    }
}
