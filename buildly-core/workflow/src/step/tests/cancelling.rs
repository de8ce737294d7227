use serde_json::json;

use crate::template::{BranchEvent, Delay, FaultFilter, Retry};
use crate::testing::Bench;
use crate::{Fault, FaultKind, Input, Level, Outcome, Status};

fn call(name: &str) -> Level {
    Level::call(name, format!("svc.{name}"))
}

fn undo(of: &str) -> Level {
    call(&format!("undo_{of}"))
        .compensates(of)
        .account("janitor")
        .parameter("uuid", format!("levels.{of}.uuid"))
}

fn cancel(run: &mut Bench) {
    run.give(Input::Cancel { reason: "no longer wanted".to_owned() }).unwrap();
}

fn three() -> Vec<Level> {
    vec![call("a"), undo("a"), call("b"), undo("b"), call("c"), undo("c")]
}

#[test]
fn what_happened_is_undone_in_reverse_order_with_the_values_of_then() {
    let mut run = Bench::started(three(), json!({}));
    run.done("a", json!({"uuid": "ua"}));
    run.done("b", json!({"uuid": "ub"}));
    run.refuse("c");
    for (level, uuid) in [("undo_b", "ub"), ("undo_a", "ua")] {
        assert_eq!(run.calls(), [level]);
        let request: serde_json::Value = serde_json::from_str(&run.effects[0].request).unwrap();
        assert_eq!(request["parameters"]["uuid"], json!(uuid));
        run.done(level, json!(null));
    }
    assert_eq!(run.status(), Status::Compensated);
}

#[test]
fn a_call_in_flight_settles_before_anything_is_undone() {
    let never = || Fault::new(FaultKind::Refused, "no");
    for (case, outcome, expected) in [
        ("it happened", Outcome::Done { status: 200, body: json!({"uuid": "u"}) }, vec!["undo_b", "undo_a"]),
        ("it may have happened", Outcome::Unknown(never()), vec!["undo_b_by_key", "undo_a"]),
        ("it did not", Outcome::Refused(never()), vec!["undo_a"]),
    ] {
        let by_key = call("undo_b_by_key").compensates("b").account("janitor").parameter("key", "key");
        let undo_b = if case == "it may have happened" { by_key } else { undo("b") };
        let mut run = Bench::started([call("a"), undo("a"), call("b"), undo_b], json!({}));
        run.done("a", json!({"uuid": "ua"}));
        cancel(&mut run);
        assert_eq!(run.calls(), ["b"], "{case}");
        let effect = run.take("b");
        run.answer(&effect, outcome);
        for level in expected {
            assert_eq!(run.calls(), [level], "{case}");
            run.done(level, json!(null));
        }
        assert_eq!(run.status(), Status::Cancelled, "{case}");
    }
}

#[test]
fn cancelling_takes_back_tasks_timers_and_sub_workflows() {
    let parts = [
        Level::task("task").group("g").deadline(Delay::from_seconds(60)),
        Level::wait("wait", Delay::from_seconds(60)),
        Level::wait_signal("signal", "go"),
        Level::run("sub", "other"),
    ];
    let mut run = Bench::started([Level::parallel("p", parts)], json!({}));
    let sub = run.live("sub");
    cancel(&mut run);
    assert!(run.tasks.is_empty() && run.timers.is_empty());
    assert_eq!(
        (run.status(), run.cancelled_children.len()),
        (Status::Undoing, 1),
        "the other run reports its end"
    );
    let end = crate::End::Cancelled { reason: "by its parent".to_owned() };
    run.give(Input::ChildEnded { activation: sub, end }).unwrap();
    assert_eq!(run.status(), Status::Cancelled);
}

#[test]
fn no_new_attempt_is_made_of_a_cancelled_call_and_its_doubt_is_undone() {
    let a = call("a").retry(Retry::attempts(5));
    let undo = call("undo_a").compensates("a").account("janitor").parameter("key", "key");
    let mut run = Bench::started([a, undo], json!({}));
    run.time_out("a");
    cancel(&mut run);
    assert_eq!(run.calls(), ["undo_a"]);
    run.done("undo_a", json!(null));
    assert_eq!(run.status(), Status::Cancelled);
}

#[test]
fn a_compensation_that_fails_stops_in_needs_attention_and_a_person_decides() {
    for choice in ["retry", "skip"] {
        let mut run = Bench::started(three(), json!({}));
        run.done("a", json!({"uuid": "ua"}));
        run.done("b", json!({"uuid": "ub"}));
        run.refuse("c");
        let first = run.effects[0].clone();
        run.refuse("undo_b");
        assert_eq!((run.status(), run.calls().len()), (Status::NeedsAttention, 0));
        let activation = run.live("undo_b");
        if choice == "retry" {
            run.give(Input::Retry { activation, waive: false }).unwrap();
            assert_eq!(run.effects[0].request, first.request, "the values of then");
            assert_ne!(run.effects[0].key, first.key);
            run.done("undo_b", json!(null));
        } else {
            run.give(Input::Skip { activation }).unwrap();
        }
        run.done("undo_a", json!(null));
        assert_eq!(run.status(), Status::Compensated, "{choice}");
    }
}

#[test]
fn a_compensation_in_doubt_is_repeated_only_if_that_is_waived() {
    let mut run = Bench::started(three(), json!({}));
    run.done("a", json!({"uuid": "ua"}));
    run.refuse("b");
    run.time_out("undo_a");
    let activation = run.live("undo_a");
    assert!(run.give(Input::Retry { activation, waive: false }).is_err());
    run.give(Input::Retry { activation, waive: true }).unwrap();
    run.done("undo_a", json!(null));
    assert_eq!(run.status(), Status::Compensated);
}

#[test]
fn a_compensation_whose_request_has_no_value_says_so_when_it_is_due() {
    let mut run = Bench::started([call("a"), undo("a"), call("b")], json!({}));
    run.done("a", json!({"no_uuid": 1}));
    run.refuse("b");
    assert_eq!(run.status(), Status::NeedsAttention);
    let activation = run.live("undo_a");
    assert!(run.give(Input::Retry { activation, waive: true }).is_err(), "it would have no request again");
    run.give(Input::Skip { activation }).unwrap();
    assert_eq!(run.status(), Status::Failed);
}

#[test]
fn a_caught_fault_undoes_only_its_own_scope() {
    let handler = Level::call("rescue", "svc.rescue").body("fault.kind + ' in ' + fault.level");
    let inner = Level::sequence("inner", [call("b"), undo("b"), call("c")])
        .on(BranchEvent::Fault(FaultFilter::default()), handler);
    let mut run = Bench::started([call("a"), undo("a"), inner, call("d")], json!({}));
    run.done("a", json!({"uuid": "ua"}));
    run.done("b", json!({"uuid": "ub"}));
    run.refuse("c");
    run.done("undo_b", json!(null));
    assert_eq!(Bench::body(&run.effects[0]), json!("refused in c"));
    run.done("rescue", json!("rescued"));
    assert_eq!(run.calls(), ["d"], "what was outside is not undone");
}

#[test]
fn cancelling_while_an_inner_scope_is_being_undone_keeps_the_compensation_under_way() {
    let handler = call("rescue");
    let inner = Level::sequence("inner", [call("b"), undo("b"), call("c")])
        .on(BranchEvent::Fault(FaultFilter::default()), handler);
    let mut run = Bench::started([call("a"), undo("a"), inner], json!({}));
    run.done("a", json!({"uuid": "ua"}));
    run.done("b", json!({"uuid": "ub"}));
    run.refuse("c");
    let key = run.effects[0].key.clone();
    cancel(&mut run);
    assert_eq!((run.calls(), &run.effects[0].key), (vec!["undo_b"], &key), "it is not begun a second time");
    run.done("undo_b", json!(null));
    run.done("undo_a", json!(null));
    assert_eq!(run.status(), Status::Cancelled);
    assert!(run.sent.len() == 5, "the branch never began");
}

#[test]
fn what_is_undone_in_doubt_is_undone_again_when_it_turns_out_to_have_happened() {
    let handler = Level::wait_signal("later", "go");
    let undo = call("undo_a").compensates("a").account("janitor").parameter("key", "key");
    let inner =
        Level::sequence("inner", [call("a"), undo]).on(BranchEvent::Fault(FaultFilter::default()), handler);
    let mut run = Bench::started([inner, call("b")], json!({}));
    let a = run.effects[0].clone();
    run.time_out("a");
    let first = run.take("undo_a");
    run.answer(&first, Outcome::Done { status: 204, body: json!(null) });
    run.answer(&a, Outcome::Done { status: 200, body: json!({"uuid": "late"}) });
    let second = run.effects[0].clone();
    assert_eq!(second.request, first.request);
    assert_ne!(second.key, first.key);
    run.signal("go", "1", json!(null));
    run.done("b", json!("end"));
    assert_eq!(run.status(), Status::Running, "the run waits for its compensation");
    run.done("undo_a", json!(null));
    assert_eq!(run.status(), Status::Completed);
}

#[test]
fn a_for_each_in_flight_is_cancelled_and_each_item_undone_with_its_own_values() {
    let body = Level::sequence(
        "one",
        [
            call("each"),
            call("undo_each").compensates("each").account("janitor").parameter("item", "item"),
            call("more"),
        ],
    );
    let mut run = Bench::started([Level::for_each("all", "[1, 2, 3]", 3, body)], json!({}));
    run.done("each", json!(1));
    run.done("each", json!(2));
    cancel(&mut run);
    run.refuse("more");
    run.refuse("more");
    run.done("each", json!(3));
    let mut items = Vec::new();
    while run.calls() == ["undo_each"] {
        let request: serde_json::Value = serde_json::from_str(&run.effects[0].request).unwrap();
        items.push(request["parameters"]["item"].as_i64().unwrap());
        run.done("undo_each", json!(null));
    }
    assert_eq!(items, [3, 2, 1]);
    assert_eq!(run.status(), Status::Cancelled);
}
