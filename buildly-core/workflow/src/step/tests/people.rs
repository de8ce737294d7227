use serde_json::json;

use crate::template::BranchEvent;
use crate::testing::Bench;
use crate::{Input, Level, Status, StepError as Error};

fn claim(run: &mut Bench, by: &str) -> Result<(), Error> {
    let activation = run.live("approve");
    run.give(Input::TaskClaimed { activation, by: by.to_owned() })
}

fn approve() -> Level {
    Level::task("approve").group("managers").form(json!({
        "type": "object", "required": ["ok"], "properties": {"ok": {"type": "boolean"}},
    }))
}

#[test]
fn a_form_is_checked_and_its_answer_is_the_level_s_result() {
    let mut run = Bench::started([approve()], json!({}));
    let error = run.complete_task("approve", "user:bob", json!({"ok": "yes"})).unwrap_err();
    let Error::Invalid(fields) = error else { panic!("{error}") };
    assert_eq!(fields[0].field, "data.ok");
    run.complete_task("approve", "user:bob", json!({"ok": true})).unwrap();
    assert_eq!(run.result(), json!({"ok": true}));
}

#[test]
fn a_task_is_completed_once_and_only_by_who_has_it() {
    let mut run = Bench::started([approve(), Level::wait_signal("wait", "go")], json!({}));
    claim(&mut run, "user:ada").unwrap();
    claim(&mut run, "user:ada").unwrap();
    assert!(matches!(claim(&mut run, "user:bob"), Err(Error::Conflict { .. })));
    let activation = run.live("approve");
    let complete = |run: &mut Bench, by: &str| {
        run.give(Input::TaskCompleted { activation, by: by.to_owned(), data: json!({"ok": true}) })
    };
    assert!(matches!(complete(&mut run, "user:bob"), Err(Error::Conflict { .. })));
    complete(&mut run, "user:ada").unwrap();
    let error = complete(&mut run, "user:ada").unwrap_err();
    assert!(error.to_string().contains("done already"), "{error}");
}

#[test]
fn an_input_is_checked_before_a_run_begins() {
    let mut template = crate::Template::new("example", [Level::emit("fact", "x")]);
    template.input = Some(json!({"type": "object", "required": ["name"]}));
    let mut run = Bench::new(crate::compile(&template).unwrap());
    assert!(matches!(run.start(json!({})), Err(Error::Invalid(_))));
    assert_eq!(run.status(), Status::New);
    run.start(json!({"name": "ada"})).unwrap();
}

#[test]
fn a_signal_is_kept_until_somebody_waits_for_it_and_its_key_counts_once() {
    let mut run = Bench::started(
        [Level::call("a", "svc.a"), Level::wait_signal("wait", "go"), Level::wait_signal("again", "go")],
        json!({}),
    );
    run.signal("go", "k1", json!("first"));
    run.signal("go", "k1", json!("first, sent again"));
    run.done("a", json!(1));
    assert_eq!(run.live("again").0, 4, "one signal, one wait");
    run.signal("go", "k2", json!("second"));
    assert_eq!(run.result(), json!("second"));
}

#[test]
fn a_signal_can_stop_a_stage() {
    let undo = Level::call("undo_a", "svc.undo_a").compensates("a").account("janitor");
    let stage = Level::sequence("stage", [Level::call("a", "svc.a"), undo, Level::call("b", "svc.b")]);
    let withdrawn = Level::emit("withdrawn", "x").body("signal.why");
    let stage = stage.on(BranchEvent::Signal("withdraw".to_owned()), withdrawn);
    let mut run = Bench::started([stage], json!({}));
    run.done("a", json!(1));
    run.signal("withdraw", "1", json!({"why": "changed my mind"}));
    run.refuse("b");
    run.done("undo_a", json!(null));
    assert_eq!(run.result(), json!("changed my mind"));
}

#[test]
fn a_signal_that_came_before_its_stage_began_stops_it_too() {
    let stage = Level::sequence("stage", [Level::wait_signal("never", "never")]);
    let stage = stage.on(BranchEvent::Signal("withdraw".to_owned()), Level::emit("withdrawn", "x"));
    let mut run = Bench::started([Level::call("first", "svc.first"), stage], json!({}));
    run.signal("withdraw", "1", json!(null));
    run.done("first", json!(1));
    assert_eq!(run.status(), Status::Completed);
}
