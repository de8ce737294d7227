use serde_json::{Value, json};

use crate::testing::{Bench, at};
use crate::{FaultKind, Input, Level, SIGNALS_MAX, Status, StepError as Error, TRANSITIONS_MAX};

fn failed_with(run: &Bench) -> FaultKind {
    match &run.state.end {
        Some(crate::End::Failed { fault }) => fault.kind,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_stops_at_its_bound_and_goes_on_with_continue() {
    let body = Level::emit("fact", "x");
    let items: Vec<u32> = (0..2_500).collect();
    let mut each = Level::for_each("all", "input.items", 1_000, body);
    if let crate::template::Kind::ForEach(each) = &mut each.kind {
        each.bound = 10_000;
    }
    let mut run = Bench::new(crate::testing::compiled([each]));
    let start = crate::Start {
        run: crate::testing::RUN.parse().unwrap(),
        input: json!({"items": items}),
        starter: String::new(),
        caused: 0,
    };
    run.give_one(Input::Started(start)).unwrap();
    let facts =
        |run: &Bench| run.events.iter().filter(|event| matches!(event, crate::Event::Emitted { .. })).count();
    assert!(run.more && facts(&run) < TRANSITIONS_MAX as usize);
    run.give(Input::Continue).unwrap();
    assert_eq!((run.status(), facts(&run)), (Status::Completed, 2_500));
}

#[test]
fn more_items_or_rounds_than_the_bound_are_a_fault() {
    let items: Vec<u32> = (0..1_001).collect();
    let each = Level::for_each("all", "input.items", 1, Level::emit("fact", "x"));
    let run = Bench::started([each], json!({"items": items}));
    assert_eq!(failed_with(&run), FaultKind::Limit);

    let run = Bench::started([Level::repeat("again", "true", 5, Level::emit("fact", "x"))], json!({}));
    assert_eq!(failed_with(&run), FaultKind::Limit);
}

#[test]
fn a_run_does_not_begin_with_more_than_it_may_keep() {
    let mut run = Bench::new(crate::testing::compiled([Level::emit("fact", "x")]));
    let error = run.start(json!({"text": "x".repeat(5_000_000)})).unwrap_err();
    assert!(matches!(error, Error::Limited { .. }), "{error}");
}

#[test]
fn an_answer_that_is_too_large_is_a_fault_and_not_kept() {
    let mut run = Bench::started([Level::call("a", "svc.a")], json!({}));
    run.done("a", Value::String("x".repeat(2_000_000)));
    assert_eq!(failed_with(&run), FaultKind::Limit);
    assert!(run.state.values_bytes < 1_000);
}

#[test]
fn results_that_add_up_to_too_much_are_a_fault() {
    let body = Level::call("page", "svc.page");
    let mut run = Bench::started([Level::for_each("all", "[1,2,3,4,5,6,7,8]", 1, body)], json!({}));
    while !run.state.is_ended() {
        run.done("page", Value::String("x".repeat(900_000)));
    }
    assert_eq!(failed_with(&run), FaultKind::Limit);
}

#[test]
fn what_a_run_keeps_is_counted_up_and_down() {
    let body = Level::sequence("body", [Level::call("page", "svc.page"), Level::emit("small", "x")]);
    let mut run = Bench::started([Level::for_each("all", "[1,2,3,4,5,6]", 1, body)], json!({}));
    for _ in 0..6 {
        run.done("page", Value::String("x".repeat(900_000)));
    }
    assert_eq!(run.status(), Status::Completed, "the scope of an item ends with it");
}

#[test]
fn signals_that_nobody_waits_for_are_bounded() {
    let mut run = Bench::started([Level::wait_signal("wait", "go")], json!({}));
    let signal = |number: usize| Input::Signal {
        name: "other".to_owned(),
        dedup: number.to_string(),
        payload: json!(1),
    };
    for number in 0..SIGNALS_MAX {
        let step = crate::step(&run.template, &run.state, signal(number), at(0), 1).unwrap();
        run.state = step.state;
    }
    let error = run.give(signal(SIGNALS_MAX)).unwrap_err();
    assert!(matches!(error, Error::Limited { .. }), "{error}");
}

#[test]
fn an_expression_without_end_stops_at_its_cost() {
    let items: Vec<u32> = (0..2_000).collect();
    let run = Bench::started(
        [Level::emit("fact", "x")
            .body("input.items.map(a, input.items.map(b, input.items.exists(c, c == a + b)))")],
        json!({"items": items}),
    );
    assert_eq!(failed_with(&run), FaultKind::Limit);
}

#[test]
fn a_long_chain_of_skipped_levels_is_no_deep_recursion() {
    let mut levels = vec![Level::decide("d", [("false".to_owned(), Level::emit("dead", "x"))], None)];
    levels.extend((0..3_000).map(|number| Level::emit(format!("l{number}"), "x").after("dead")));
    levels.extend((0..3_000).map(|number| Level::emit(format!("m{number}"), "x").when("false")));
    let run = Bench::started(levels, json!({}));
    assert_eq!(run.status(), Status::Completed);
}
