use serde_json::json;

use crate::template::{BranchEvent, Delay, FaultFilter};
use crate::testing::Bench;
use crate::{Fault, FaultKind, Level, Outcome, Status};

fn call(name: &str) -> Level {
    Level::call(name, format!("svc.{name}"))
}

#[test]
fn a_fault_rises_to_the_nearest_branch_that_catches_it() {
    let of = |statuses: Vec<u16>, codes: Vec<&str>| {
        let codes = codes.into_iter().map(str::to_owned).collect();
        BranchEvent::Fault(FaultFilter { kinds: Vec::new(), statuses, codes })
    };
    for (case, status, code, expected) in [
        ("by status, on the level", 404, None, "not_found"),
        ("by code, on the stage", 422, Some("limit"), "limit"),
        ("by anything, on the run's stage", 500, None, "other"),
    ] {
        let a = call("a").on(of(vec![404], vec![]), call("not_found"));
        let stage = Level::sequence("stage", [a]).on(of(vec![], vec!["limit"]), call("limit"));
        let outer = Level::sequence("outer", [stage]).on(of(vec![], vec![]), call("other"));
        let mut run = Bench::started([outer], json!({}));
        let effect = run.take("a");
        let code = code.map(str::to_owned);
        let fault = Fault { status: Some(status), code, ..Fault::new(FaultKind::Refused, "no") };
        run.answer(&effect, Outcome::Refused(fault));
        assert_eq!(run.calls(), [expected], "{case}");
        run.done(expected, json!("caught"));
        assert_eq!(run.result(), json!("caught"), "{case}: the branch's result is the level's");
    }
}

#[test]
fn a_fault_in_a_branch_rises_past_the_level_whose_branch_it_is() {
    let any = || BranchEvent::Fault(FaultFilter::default());
    let inner = call("a").on(any(), call("b"));
    let mut run = Bench::started([Level::sequence("outer", [inner]).on(any(), call("c"))], json!({}));
    run.refuse("a");
    run.refuse("b");
    assert_eq!(run.calls(), ["c"]);
    run.refuse("c");
    assert_eq!(run.status(), Status::Failed);
}

#[test]
fn an_expression_without_a_value_is_a_fault_that_names_it() {
    let mut run = Bench::started([call("a").body("input.missing.field")], json!({}));
    assert_eq!(run.status(), Status::Failed);
    let Some(crate::End::Failed { fault }) = run.state.end.take() else { panic!() };
    assert_eq!((fault.kind, fault.level.as_str()), (FaultKind::Expression, "a"));
    assert!(fault.message.contains("input.missing.field"), "{}", fault.message);
}

#[test]
fn a_branch_beside_a_level_runs_with_it_and_both_must_end() {
    let task = Level::task("approve")
        .group("managers")
        .deadline(Delay::from_seconds(60))
        .beside(BranchEvent::Deadline, call("remind"));
    let mut run = Bench::started([task, call("next")], json!({}));
    run.pass(Delay::from_seconds(61));
    assert_eq!(run.calls(), ["remind"]);
    run.complete_task("approve", "user:bob", json!({"ok": true})).unwrap();
    assert_eq!(run.calls(), ["remind"], "the level waits for the branch");
    run.done("remind", json!(null));
    assert_eq!(run.calls(), ["next"]);
}

#[test]
fn a_fault_of_a_branch_beside_is_a_fault_of_its_level() {
    let wait = Level::wait_signal("wait", "go")
        .beside(BranchEvent::Signal("ping".to_owned()), call("pong"))
        .on(BranchEvent::Fault(FaultFilter::default()), call("rescue"));
    let mut run = Bench::started([wait], json!({}));
    run.signal("ping", "1", json!(1));
    run.signal("ping", "2", json!(2));
    assert_eq!(run.calls(), ["pong", "pong"]);
    run.done("pong", json!(null));
    run.refuse("pong");
    assert_eq!(run.calls(), ["rescue"]);
}
