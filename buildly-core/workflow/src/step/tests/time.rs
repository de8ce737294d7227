use serde_json::json;

use crate::template::{BranchEvent, Delay};
use crate::testing::{Bench, at};
use crate::{Input, Level, Status, TimerKind};

#[test]
fn a_wait_ends_at_its_time_and_a_timer_that_fires_early_is_set_again() {
    let mut run = Bench::started([Level::wait("pause", Delay::from_seconds(60))], json!({}));
    let activation = run.live("pause");
    run.give(Input::TimerFired { activation, kind: TimerKind::Wait }).unwrap();
    assert_eq!((run.status(), run.timers[&(activation, TimerKind::Wait)]), (Status::Running, at(60)));
    run.pass(Delay::from_seconds(60));
    assert_eq!(run.status(), Status::Completed);
}

#[test]
fn a_wait_for_a_local_date_follows_the_clock_of_the_place() {
    for (date, zone, expected) in [
        ("2026-12-24T09:00", "Europe/Berlin", "2026-12-24T08:00:00Z"),
        ("2026-07-01T09:00", "Europe/Berlin", "2026-07-01T07:00:00Z"),
        ("2026-12-24", "America/New_York", "2026-12-24T05:00:00Z"),
        // The clock skips 02:30 on that day, and shows it twice on the other.
        ("2027-03-28T02:30", "Europe/Berlin", "2027-03-28T01:30:00Z"),
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
    ] {
        let run = Bench::started([Level::wait_until("until", "input.date", zone)], json!({"date": date}));
        let due = run.timers.values().next().unwrap();
        assert_eq!(due.to_string(), expected, "{date} {zone}");
    }
    let run = Bench::started([Level::wait_until("until", "'soon'", "Europe/Berlin")], json!({}));
    assert_eq!(run.status(), Status::Failed);
}

#[test]
fn a_deadline_takes_the_branch_for_it_or_is_a_fault() {
    for (case, has_branch) in [("branch", true), ("fault", false)] {
        let mut task = Level::task("approve").group("managers").deadline(Delay::from_seconds(60));
        if has_branch {
            task = task.on(BranchEvent::Deadline, Level::call("escalate", "svc.escalate"));
        }
        let mut run = Bench::started([task], json!({}));
        run.pass(Delay::from_seconds(61));
        assert_eq!(run.calls() == ["escalate"], has_branch, "{case}");
        assert_eq!(run.status() == Status::Failed, !has_branch, "{case}");
    }
}

#[test]
fn of_a_deadline_and_a_completion_the_first_wins_and_the_other_is_late() {
    for deadline_first in [true, false] {
        let task = Level::task("approve").group("g").deadline(Delay::from_seconds(60));
        let task = task.on(BranchEvent::Deadline, Level::emit("escalated", "x").body("'deadline'"));
        let mut run = Bench::started([task, Level::emit("end", "x").body("levels.approve")], json!({}));
        let activation = run.live("approve");
        run.now = at(60);
        let timer = Input::TimerFired { activation, kind: TimerKind::Deadline };
        let done = Input::TaskCompleted { activation, by: "user:bob".to_owned(), data: json!("person") };
        if deadline_first {
            run.timers.clear();
            run.give(timer).unwrap();
            assert!(run.give(done).is_err());
        } else {
            run.give(done).unwrap();
            run.give(timer).unwrap();
        }
        assert_eq!(run.result(), json!(if deadline_first { "deadline" } else { "person" }));
    }
}

#[test]
fn a_signal_that_does_not_come_in_time_has_its_default() {
    let mut wait = Level::wait_signal("wait", "go").deadline(Delay::from_seconds(5));
    if let crate::template::Kind::Wait(crate::template::Wait::Signal(signal)) = &mut wait.kind {
        signal.default = Some("'nobody came'".to_owned());
    }
    let mut run = Bench::started([wait], json!({}));
    run.pass(Delay::from_seconds(5));
    assert_eq!(run.result(), json!("nobody came"));
}

#[test]
fn a_deadline_on_a_stage_settles_and_undoes_it() {
    let undo = Level::call("undo_a", "svc.undo_a").compensates("a").account("janitor");
    let stage = Level::sequence("stage", [Level::call("a", "svc.a"), undo, Level::call("b", "svc.b")]);
    let mut run = Bench::started([stage.deadline(Delay::from_seconds(60))], json!({}));
    run.done("a", json!(1));
    run.pass(Delay::from_seconds(61));
    assert_eq!(run.calls(), ["b"]);
    run.refuse("b");
    run.done("undo_a", json!(null));
    assert_eq!(run.status(), Status::Compensated);
}
