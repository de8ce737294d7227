use serde_json::json;

use crate::template::{Delay, Template, Unhandled};
use crate::testing::Bench;
use crate::{ActivationId, Input, Level, Status, StepError as Error, compile};

fn call(name: &str) -> Level {
    Level::call(name, format!("svc.{name}"))
}

#[test]
fn a_paused_run_takes_answers_but_begins_nothing() {
    let mut run = Bench::started([call("a"), call("b")], json!({}));
    run.give(Input::Pause).unwrap();
    run.done("a", json!(1));
    assert_eq!((run.status(), run.calls().len()), (Status::Paused, 0));
    run.give(Input::Resume).unwrap();
    assert_eq!(run.calls(), ["b"]);
}

#[test]
fn people_s_outdated_inputs_are_a_conflict_and_change_nothing() {
    let mut run = Bench::started([call("a")], json!({}));
    let activation = run.live("a");
    for (case, input) in [
        ("resume without pause", Input::Resume),
        ("claim of a call", Input::TaskClaimed { activation, by: "user:ada".to_owned() }),
        ("skip of a call", Input::Skip { activation }),
        (
            "a second start",
            Input::Started(crate::Start {
                run: crate::testing::RUN.parse().unwrap(),
                input: json!({}),
                starter: String::new(),
                caused: 0,
            }),
        ),
        ("retry of the run", Input::Retry { activation: ActivationId(1), waive: true }),
    ] {
        let error = run.give(input).unwrap_err();
        assert!(matches!(error, Error::Conflict { .. }), "{case}: {error}");
    }
    let nobody = ActivationId(77);
    let error = run.give(Input::Retry { activation: nobody, waive: false }).unwrap_err();
    assert_eq!(error, Error::NotFound { activation: nobody });
}

#[test]
fn an_ended_run_tells_machines_that_they_are_late_and_people_that_it_has_ended() {
    let mut run = Bench::started([call("a")], json!({}));
    let effect = run.effects[0].clone();
    run.done("a", json!(1));
    let before = run.state.clone();
    run.answer(&effect, crate::Outcome::Done { status: 200, body: json!(1) });
    run.give(Input::TimerFired { activation: effect.activation, kind: crate::TimerKind::Retry }).unwrap();
    assert_eq!(run.state, before);
    let signal = Input::Signal { name: "go".to_owned(), dedup: "1".to_owned(), payload: json!(1) };
    let cancel = Input::Cancel { reason: String::new() };
    for input in [signal, cancel, Input::Pause] {
        let error = run.give(input).unwrap_err();
        assert!(error.to_string().contains("it has ended; start a new run"), "{error}");
    }
}

#[test]
fn a_run_can_leave_faults_to_a_person_who_retries_with_other_variables() {
    let mut template =
        Template::new("example", [call("a").body("has(vars.name) ? vars.name : 'none'"), call("b")]);
    template.unhandled = Unhandled::Attention;
    let mut run = Bench::new(compile(&template).unwrap());
    run.start(json!({})).unwrap();
    run.refuse("a");
    assert_eq!(run.status(), Status::NeedsAttention);
    let values = json!({"name": "ada"}).as_object().unwrap().clone();
    run.give(Input::SetVariables { values }).unwrap();
    let activation = run.live("a");
    run.give(Input::Retry { activation, waive: false }).unwrap();
    assert_eq!(Bench::body(&run.effects[0]), json!("ada"));
    run.done("a", json!(1));
    assert_eq!(run.calls(), ["b"]);
}

#[test]
fn a_retry_of_a_call_in_doubt_needs_a_compensation_or_a_waiver() {
    let mut template = Template::new("example", [call("a")]);
    template.unhandled = Unhandled::Attention;
    let mut run = Bench::new(compile(&template).unwrap());
    run.start(json!({})).unwrap();
    run.time_out("a");
    let activation = run.live("a");
    assert!(run.give(Input::Retry { activation, waive: false }).is_err());
    run.give(Input::Retry { activation, waive: true }).unwrap();
    assert_eq!(run.calls(), ["a"]);
}

#[test]
fn a_retry_from_a_stage_undoes_what_it_did_and_begins_it_anew() {
    let undo = call("undo_a").compensates("a").account("janitor");
    let stage = Level::sequence("stage", [call("a"), undo, Level::wait("pause", Delay::from_seconds(60))]);
    let mut run = Bench::started([stage, call("end")], json!({}));
    run.done("a", json!(1));
    let activation = run.live("stage");
    run.give(Input::Retry { activation, waive: false }).unwrap();
    run.done("undo_a", json!(null));
    assert_eq!(run.calls(), ["a"]);
    run.done("a", json!(2));
    run.pass(Delay::from_seconds(60));
    assert_eq!(run.calls(), ["end"]);
}

#[test]
fn a_fault_of_a_stage_that_nobody_catches_can_need_attention_too() {
    let race = Level::race("race", [call("a"), call("b")]);
    let mut template = Template::new("example", [race, call("end")]);
    template.unhandled = Unhandled::Attention;
    let mut run = Bench::new(compile(&template).unwrap());
    run.start(json!({})).unwrap();
    run.refuse("a");
    run.refuse("b");
    assert_eq!(run.status(), Status::NeedsAttention);
    let activation = run.live("race");
    run.give(Input::Retry { activation, waive: false }).unwrap();
    assert_eq!(run.calls(), ["a", "b"]);
}
