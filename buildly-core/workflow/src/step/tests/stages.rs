use serde_json::json;

use crate::step::join::{Verdict, decided};
use crate::testing::Bench;
use crate::{Level, Status};

fn call(name: &str) -> Level {
    Level::call(name, format!("svc.{name}"))
}

#[test]
fn a_join_is_decided_as_soon_as_it_is_certain() {
    use Verdict::{Fail, Go, Wait};
    for (case, (done, failed, dead, open), needed, expected) in [
        ("all, some open", (1, 0, 0, 1), None, Wait),
        ("all done", (2, 0, 0, 0), None, Go),
        ("all, dead ones do not count", (1, 0, 1, 0), None, Go),
        ("all dead", (0, 0, 2, 0), None, Go),
        ("all, one failed", (1, 1, 0, 5), None, Fail),
        ("2 of 3, one done", (1, 0, 0, 2), Some(2), Wait),
        ("2 of 3 done, one open", (2, 0, 0, 1), Some(2), Go),
        ("2 of 3, two failed", (0, 2, 0, 1), Some(2), Fail),
        ("2 of 3, one failed, one dead", (0, 1, 1, 1), Some(2), Fail),
        ("race, none left", (0, 1, 1, 0), Some(1), Fail),
    ] {
        assert_eq!(decided(done, failed, dead, open, needed), expected, "{case}");
    }
}

#[test]
fn a_sequence_does_one_level_after_the_other_and_ends_with_the_last_result() {
    let mut run = Bench::started([call("a"), call("b").body("levels.a.n + 1")], json!({}));
    assert_eq!(run.calls(), ["a"]);
    run.done("a", json!({"n": 41}));
    let effect = run.take("b");
    assert_eq!(Bench::body(&effect), json!(42));
    run.answer(&effect, crate::Outcome::Done { status: 200, body: json!("end") });
    assert_eq!((run.status(), run.result()), (Status::Completed, json!("end")));
}

#[test]
fn parallel_levels_run_at_the_same_time_and_all_are_needed() {
    let mut run = Bench::started([Level::parallel("p", [call("a"), call("b")]), call("c")], json!({}));
    assert_eq!(run.calls(), ["a", "b"]);
    run.done("b", json!(1));
    assert_eq!(run.calls(), ["a"]);
    run.done("a", json!(1));
    assert_eq!(run.calls(), ["c"]);
}

#[test]
fn a_skipped_level_does_not_hold_up_a_stage() {
    let levels = [Level::parallel("p", [call("a").when("input.go"), call("b").when("!input.go")])];
    let mut run = Bench::started(levels, json!({"go": false}));
    assert_eq!(run.calls(), ["b"]);
    run.done("b", json!(1));
    assert_eq!(run.status(), Status::Completed);
}

#[test]
fn two_of_three_are_enough_and_the_third_settles_and_is_undone() {
    let undo = |name: &str, of: &str| call(name).compensates(of).account("janitor");
    let three =
        Level::any("any", 2, [call("a"), call("b"), call("c"), undo("undo_c", "c"), undo("undo_a", "a")]);
    let mut run = Bench::started([three, call("next")], json!({}));
    run.done("a", json!(1));
    run.done("b", json!(1));
    assert_eq!(run.calls(), ["c"], "the loser is in flight: it settles first");
    run.done("c", json!(1));
    assert_eq!(run.calls(), ["undo_c"], "it did something, so it is undone; the winners are not");
    run.done("undo_c", json!(1));
    assert_eq!(run.calls(), ["next"]);
}

#[test]
fn the_loser_of_a_race_that_did_nothing_is_not_undone() {
    let undo = call("undo_b").compensates("b").account("janitor");
    let mut run =
        Bench::started([Level::race("race", [call("a"), call("b"), undo]), call("next")], json!({}));
    run.done("a", json!(1));
    run.refuse("b");
    assert_eq!(run.calls(), ["next"]);
}

#[test]
fn both_losers_of_a_race_that_did_something_are_undone_once_each() {
    let undo = |of: &str| call(&format!("undo_{of}")).compensates(of).account("janitor");
    let race = Level::race("race", [call("a"), call("b"), call("c"), undo("a"), undo("b"), undo("c")]);
    let mut run = Bench::started([race, call("next")], json!({}));
    let (a, b, c) = (run.take("a"), run.take("b"), run.take("c"));
    let done = || crate::Outcome::Done { status: 200, body: json!(1) };
    // The effects stand until they are answered, as rows do.
    run.effects.extend([a.clone(), b.clone(), c.clone()]);
    for (effect, level) in [(&a, "a"), (&b, "b"), (&c, "c")] {
        let _ = run.take(level);
        run.answer(effect, done());
    }
    while let Some(level) =
        run.calls().first().map(|level| (*level).to_owned()).filter(|level| level != "next")
    {
        run.done(&level, json!(1));
    }
    run.done("next", json!(1));
    assert_eq!(run.applied.iter().filter(|level| *level == "undo_b").count(), 1);
    assert_eq!(run.applied.iter().filter(|level| *level == "undo_c").count(), 1);
    assert!(!run.applied.contains(&"undo_a".to_owned()));
}

#[test]
fn a_race_goes_on_while_somebody_can_still_win_and_fails_when_nobody_can() {
    let mut run = Bench::started([Level::race("race", [call("a"), call("b")])], json!({}));
    run.refuse("a");
    assert_eq!(run.status(), Status::Running);
    run.refuse("b");
    assert_eq!(run.status(), Status::Failed);
}

#[test]
fn a_for_each_keeps_its_window_and_the_order_of_results() {
    let body = call("each").body("item * 10 + index");
    let mut run =
        Bench::started([Level::for_each("all", "input.items", 2, body)], json!({"items": [1, 2, 3]}));
    assert_eq!(run.calls(), ["each", "each"]);
    let (first, second) = (run.effects[0].clone(), run.effects[1].clone());
    assert_eq!((Bench::body(&first), Bench::body(&second)), (json!(10), json!(21)));
    run.effects.remove(1);
    run.answer(&second, crate::Outcome::Done { status: 200, body: json!("two") });
    assert_eq!(run.calls(), ["each", "each"], "the window is filled again");
    run.done("each", json!("one"));
    run.done("each", json!("three"));
    assert_eq!(run.result(), json!(["one", "two", "three"]));
}

#[test]
fn a_for_each_over_nothing_completes_with_nothing() {
    let run = Bench::started([Level::for_each("all", "input.items", 2, call("each"))], json!({"items": []}));
    assert_eq!(run.result(), json!([]));
}

#[test]
fn a_loop_hands_each_round_the_result_of_the_last() {
    let body = call("page").body("last == null ? 0 : last.next");
    let mut run = Bench::started([Level::repeat("pages", "last.next < 3", 10, body)], json!({}));
    for next in 1..=3 {
        let effect = run.take("page");
        assert_eq!(Bench::body(&effect), json!(next - 1));
        run.answer(&effect, crate::Outcome::Done { status: 200, body: json!({"next": next}) });
    }
    assert_eq!(run.result(), json!({"next": 3}));
}

#[test]
fn a_decision_takes_the_first_way_that_is_true() {
    for (case, amount, expected) in
        [("first", 5, vec!["small"]), ("second", 50, vec!["big"]), ("none", 500, vec!["huge"])]
    {
        let decide = Level::decide(
            "size",
            [("input.amount < 10".to_owned(), call("small")), ("input.amount < 100".to_owned(), call("big"))],
            Some(call("huge")),
        );
        let run = Bench::started([decide], json!({"amount": amount}));
        assert_eq!(run.calls(), expected, "{case}");
    }
}

#[test]
fn a_link_holds_a_level_up_wherever_it_stands() {
    let left = Level::sequence("left", [call("a"), call("b")]);
    let right = Level::sequence("right", [call("c").after("b"), call("d")]);
    let mut run = Bench::started([Level::parallel("p", [left, right])], json!({}));
    assert_eq!(run.calls(), ["a"]);
    run.done("a", json!(1));
    assert_eq!(run.calls(), ["b"]);
    run.done("b", json!(1));
    assert_eq!(run.calls(), ["c"]);
}

#[test]
fn a_link_from_a_branch_that_is_not_taken_skips_its_target_and_never_holds_it_up() {
    for (case, any, expected) in
        [("all links are needed", false, vec![]), ("one is enough", true, vec!["target"])]
    {
        let decide =
            Level::decide("d", [("false".to_owned(), call("dead"))], Some(Level::emit("alive", "x")));
        let mut target = call("target").after("dead").after("alive");
        if any {
            target = target.after_any();
        }
        let run = Bench::started([Level::parallel("p", [decide, target])], json!({}));
        assert_eq!(run.calls(), expected, "{case}");
    }
}

#[test]
fn a_link_from_a_loser_of_a_race_is_dead() {
    let race = Level::race("race", [call("a"), call("b")]);
    let mut run = Bench::started([Level::parallel("p", [race, call("after_b").after("b")])], json!({}));
    run.done("a", json!(1));
    run.refuse("b");
    assert_eq!(run.status(), Status::Completed);
}

#[test]
fn an_event_is_a_fact_of_the_step_and_not_a_call() {
    let mut run =
        Bench::started([Level::emit("tell", "contact.onboarded").body("{'who': run.starter}")], json!({}));
    assert_eq!(run.result(), json!({"who": "user:ada"}));
    let emitted = run.events.iter().filter(|event| matches!(event, crate::Event::Emitted { .. })).count();
    assert_eq!((emitted, run.effects.len()), (1, 0));
    assert!(run.give(crate::Input::Pause).is_err(), "an ended run takes no input");
}

#[test]
fn a_sub_workflow_is_started_once_and_its_result_is_the_level_s() {
    let mut run = Bench::started(
        [Level::run("sub", "other").body("{'n': 1}"), call("next").body("levels.sub")],
        json!({}),
    );
    let activation = run.live("sub");
    let end = crate::End::Completed { result: json!("sub result") };
    run.give(crate::Input::ChildEnded { activation, end }).unwrap();
    assert_eq!(Bench::body(&run.take("next")), json!("sub result"));
}
