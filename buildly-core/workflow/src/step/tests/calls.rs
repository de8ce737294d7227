use serde_json::json;

use crate::template::{Delay, Retry};
use crate::testing::{Bench, RUN};
use crate::{ActingAs, Answer, Event, Fault, FaultKind, Input, Level, Outcome, Phase, Status};

fn call(name: &str) -> Level {
    Level::call(name, format!("svc.{name}"))
}

#[test]
fn attempts_share_key_and_bytes_and_a_new_entry_has_a_new_key() {
    let body = call("each").body("item").retry(Retry::attempts(3));
    let mut run = Bench::started([Level::for_each("all", "[7, 7]", 1, body)], json!({}));
    let first = run.effects[0].clone();
    run.time_out("each");
    assert!(matches!(run.state.activations[&first.activation].phase, Phase::Backoff { .. }));
    run.pass(Delay::from_seconds(2));
    let second = run.effects[0].clone();
    assert_eq!((&second.key, &second.request, second.attempt), (&first.key, &first.request, 2));
    assert_eq!(first.key, format!("{RUN}:{}", first.activation));
    run.done("each", json!(1));
    assert_ne!(run.effects[0].key, first.key, "the next item is a new activation");
}

#[test]
fn a_fault_that_may_pass_is_retried_and_a_business_fault_is_not() {
    for (kind, is_retried) in [
        (FaultKind::Unavailable, true),
        (FaultKind::Busy, true),
        (FaultKind::Timeout, true),
        (FaultKind::Refused, false),
    ] {
        let mut run = Bench::started([call("a").retry(Retry::attempts(2))], json!({}));
        let effect = run.take("a");
        run.answer(&effect, Outcome::Refused(Fault::new(kind, "no")));
        run.pass(Delay::from_seconds(10));
        assert_eq!(run.calls() == ["a"], is_retried, "{kind:?}");
        if is_retried {
            let effect = run.take("a");
            run.answer(&effect, Outcome::Refused(Fault::new(kind, "no")));
        }
        assert_eq!(run.status(), Status::Failed, "{kind:?}");
    }
}

#[test]
fn pauses_grow_up_to_a_longest_one_and_never_overflow() {
    let retry = Retry::attempts(u32::MAX);
    for (attempt, least_ms, most_ms) in
        [(1, 500, 1_000), (2, 1_000, 2_000), (3, 2_000, 4_000), (u32::MAX, 1_800_000, 3_600_000)]
    {
        for random in [0, 1, u64::MAX / 2, u64::MAX] {
            let pause_ms = retry.pause_after(attempt, random).as_millis();
            assert!((least_ms..=most_ms).contains(&pause_ms), "{attempt}: {pause_ms}");
        }
    }
}

#[test]
fn a_second_answer_is_late_and_changes_nothing() {
    let mut run = Bench::started([call("a"), call("b")], json!({}));
    let effect = run.effects[0].clone();
    run.done("a", json!(1));
    let before = run.state.clone();
    run.answer(&effect, Outcome::Done { status: 200, body: json!(2) });
    assert_eq!(run.state, before);
    assert!(matches!(run.events.last(), Some(Event::Late { .. })));
}

#[test]
fn an_answer_to_an_earlier_attempt_is_late() {
    let mut run = Bench::started([call("a").retry(Retry::attempts(3))], json!({}));
    let first = run.effects[0].clone();
    run.time_out("a");
    run.pass(Delay::from_seconds(2));
    run.answer(&first, Outcome::Done { status: 200, body: json!("old") });
    assert_eq!(run.calls(), ["a"], "the second attempt decides; it has the same key");
    run.done("a", json!("new"));
    assert_eq!(run.result(), json!("new"));
}

#[test]
fn an_answer_for_nobody_is_late_and_not_an_error() {
    let mut run = Bench::started([call("a")], json!({}));
    let answer = Answer {
        activation: crate::ActivationId(999),
        attempt: 1,
        outcome: Outcome::Done { status: 200, body: json!(1) },
    };
    run.give(Input::Answered(answer)).unwrap();
    assert_eq!(run.calls(), ["a"]);
}

#[test]
fn an_answer_is_mapped_and_a_mapping_without_a_value_is_a_fault_that_undoes_the_call() {
    let a = call("a").result("answer.body.uuid");
    let undo = call("undo_a").compensates("a").account("janitor").parameter("key", "key");
    let mut run = Bench::started([a.clone(), call("b").body("levels.a")], json!({}));
    run.done("a", json!({"uuid": "u1"}));
    assert_eq!(Bench::body(&run.take("b")), json!("u1"));

    let mut run = Bench::started([a, undo], json!({}));
    let key = run.effects[0].key.clone();
    run.done("a", json!({"other": 1}));
    assert_eq!(run.calls(), ["undo_a"], "it has happened");
    let effect = run.take("undo_a");
    let request: serde_json::Value = serde_json::from_str(&effect.request).unwrap();
    assert_eq!(request["parameters"]["key"], json!(key), "a compensation can name the call by its key");
    run.answer(&effect, Outcome::Done { status: 204, body: json!(null) });
    assert_eq!(run.status(), Status::Compensated);
}

#[test]
fn a_call_acts_as_whom_the_template_says() {
    let levels = [
        Level::task("approve").group("managers"),
        call("as_starter"),
        call("as_account").account("robot"),
        Level { actor: crate::template::Actor::Completer("approve".to_owned()), ..call("as_completer") },
    ];
    let mut run = Bench::started(levels, json!({}));
    run.complete_task("approve", "user:bob", json!({})).unwrap();
    for (level, acting) in [
        ("as_starter", ActingAs::Starter("user:ada".to_owned())),
        ("as_account", ActingAs::Account("robot".to_owned())),
        ("as_completer", ActingAs::Completer("user:bob".to_owned())),
    ] {
        assert_eq!(run.effects[0].acting, acting);
        run.done(level, json!(null));
    }
}

#[test]
fn a_read_has_nothing_to_undo_even_if_nobody_knows_its_outcome() {
    let read = Level::read("contacts", "crm.contacts").parameter("search", "'ada'");
    let mut run = Bench::started([read], json!({}));
    run.time_out("contacts");
    assert_eq!(run.status(), Status::Failed);
}

#[test]
fn a_lost_right_stops_the_level_in_needs_attention() {
    let mut run = Bench::started([call("a"), call("b")], json!({}));
    let effect = run.take("a");
    run.answer(&effect, Outcome::Refused(Fault::new(FaultKind::Forbidden, "the right is gone")));
    assert_eq!(run.status(), Status::NeedsAttention);
    let activation = run.live("a");
    run.give(Input::Retry { activation, waive: false }).unwrap();
    assert_ne!(run.effects[0].key, effect.key, "a deliberate retry is a new activation");
    run.done("a", json!(1));
    assert_eq!(run.calls(), ["b"]);
}
