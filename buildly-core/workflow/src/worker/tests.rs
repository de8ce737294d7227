use std::time::Duration;

use super::{Action, EffectId, Happening, Leased, Worker, WorkerSettings};
use crate::{ActingAs, ActivationId, Effect, Outcome};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn leased(id: u64, lease_left: Duration) -> Leased {
    let effect = Effect {
        activation: ActivationId(id),
        attempt: 1,
        key: format!("key {id}"),
        level: "a".to_owned(),
        acting: ActingAs::Account("robot".to_owned()),
        request: "{}".to_owned(),
        timeout: seconds(30),
    };
    let id_text = crate::testing::RUN;
    Leased {
        id: EffectId(id),
        organization: id_text.parse().unwrap(),
        run: id_text.parse().unwrap(),
        effect,
        epoch: 1,
        lease_left,
    }
}

fn done() -> Outcome {
    Outcome::Done { status: 200, body: serde_json::json!(1) }
}

/// A worker that has asked for work at second 0.
fn asking() -> Worker {
    let mut worker = Worker::new(WorkerSettings::default());
    let actions = worker.on(Happening::Woken, seconds(0));
    assert!(matches!(actions[..], [Action::Take { .. }]), "{actions:?}");
    worker
}

fn kinds(actions: &[Action]) -> Vec<&'static str> {
    let name = |action: &Action| match action {
        Action::Take { .. } => "take",
        Action::Send(_) => "send",
        Action::HandIn { .. } => "hand in",
        Action::GiveBack { .. } => "give back",
        Action::Late { .. } => "late",
        Action::Wake(_) => "wake",
    };
    actions.iter().map(name).filter(|name| *name != "wake").collect()
}

#[test]
fn a_call_is_sent_only_if_its_lease_outlasts_it() {
    for (case, asked_for_s, lease_left_s, expected) in [
        ("enough", 0, 120, "send"),
        ("exactly as long is not enough", 0, 30, "give back"),
        ("the node slept since it asked", 100, 120, "give back"),
    ] {
        let mut worker = asking();
        let actions =
            worker.on(Happening::Taken(vec![leased(1, seconds(lease_left_s))]), seconds(asked_for_s));
        assert_eq!(kinds(&actions)[0], expected, "{case}");
    }
}

#[test]
fn an_answer_is_handed_in_until_it_is_committed() {
    let mut worker = asking();
    let _ = worker.on(Happening::Taken(vec![leased(1, seconds(120))]), seconds(0));
    let (id, epoch) = (EffectId(1), 1);
    assert_eq!(
        kinds(&worker.on(Happening::Answered { id, epoch, outcome: done() }, seconds(1))),
        ["hand in", "take"]
    );
    let again = worker.on(Happening::Answered { id, epoch, outcome: done() }, seconds(1));
    assert_eq!(kinds(&again), Vec::<&str>::new(), "a second answer of one call changes nothing");
    assert_eq!(kinds(&worker.on(Happening::NotHandedIn { id, epoch }, seconds(2))), Vec::<&str>::new());
    assert_eq!(kinds(&worker.on(Happening::Woken, seconds(3))), ["hand in"]);
    let _ = worker.on(Happening::HandedIn { id, epoch }, seconds(3));
    let _ = worker.on(Happening::Taken(Vec::new()), seconds(3));
    assert!(worker.is_idle());
}

#[test]
fn an_answer_that_cannot_be_handed_in_before_the_lease_ends_is_left_to_others() {
    let mut worker = asking();
    let _ = worker.on(Happening::Taken(vec![leased(1, seconds(40))]), seconds(0));
    let (id, epoch) = (EffectId(1), 1);
    let _ = worker.on(Happening::Answered { id, epoch, outcome: done() }, seconds(20));
    let _ = worker.on(Happening::NotHandedIn { id, epoch }, seconds(40));
    assert_eq!(kinds(&worker.on(Happening::Woken, seconds(50))), Vec::<&str>::new());
}

#[test]
fn a_call_without_an_answer_is_given_up_and_its_answer_is_late() {
    let mut worker = asking();
    let _ = worker.on(Happening::Taken(vec![leased(1, seconds(120))]), seconds(0));
    let actions = worker.on(Happening::Woken, seconds(30));
    let unknown = actions.iter().any(|action| {
        matches!(action, Action::HandIn { answer, .. } if matches!(answer.outcome, Outcome::Unknown(_)))
    });
    assert!(unknown, "{actions:?}");
    let (id, epoch) = (EffectId(1), 1);
    let _ = worker.on(Happening::HandedIn { id, epoch }, seconds(31));
    assert_eq!(kinds(&worker.on(Happening::Answered { id, epoch, outcome: done() }, seconds(40))), ["late"]);
}

#[test]
fn a_worker_takes_no_more_than_it_has_room_for_and_nothing_once_it_stops() {
    let mut worker = Worker::new(WorkerSettings { in_flight_max: 2, ..WorkerSettings::default() });
    let actions = worker.on(Happening::Woken, seconds(0));
    assert!(matches!(actions[..], [Action::Take { max: 2, .. }]));
    let both = vec![leased(1, seconds(120)), leased(2, seconds(120))];
    assert_eq!(kinds(&worker.on(Happening::Taken(both), seconds(0))), ["send", "send"]);
    assert_eq!(kinds(&worker.on(Happening::Woken, seconds(1))), Vec::<&str>::new());
    let _ = worker.on(Happening::HandedIn { id: EffectId(1), epoch: 1 }, seconds(1));
    let _ = worker.on(Happening::Stopping, seconds(1));
    assert_eq!(kinds(&worker.on(Happening::Woken, seconds(2))), Vec::<&str>::new());
}

#[test]
fn nothing_to_do_is_asked_for_again_after_a_while_and_not_at_once() {
    let mut worker = asking();
    let actions = worker.on(Happening::Taken(Vec::new()), seconds(1));
    assert_eq!(actions, [Action::Wake(seconds(1) + WorkerSettings::default().poll)]);
}

#[test]
fn a_refusal_of_a_call_that_another_node_may_have_sent_before_is_no_proof() {
    for (epoch, is_proof) in [(1, true), (2, false)] {
        let mut worker = asking();
        let taken = Leased { epoch, ..leased(1, seconds(120)) };
        let _ = worker.on(Happening::Taken(vec![taken]), seconds(0));
        let outcome = Outcome::Refused(crate::Fault::new(crate::FaultKind::Busy, "later"));
        let actions = worker.on(Happening::Answered { id: EffectId(1), epoch, outcome }, seconds(1));
        let Action::HandIn { answer, .. } = &actions[0] else { panic!("{actions:?}") };
        assert_eq!(matches!(answer.outcome, Outcome::Refused(_)), is_proof, "epoch {epoch}");
    }
}

#[test]
fn what_is_handed_over_is_sent_under_the_lease_it_was_written_with() {
    for (case, asked_at_s, now_s, expected) in
        [("at once", 5, 6, vec!["send", "take"]), ("after a sleep", 5, 100, vec!["give back", "take"])]
    {
        let mut worker = Worker::new(WorkerSettings::default());
        let handed =
            Happening::Handed { leased: vec![leased(1, seconds(120))], asked_at: seconds(asked_at_s) };
        assert_eq!(kinds(&worker.on(handed, seconds(now_s))), expected, "{case}");
    }
    let mut worker = asking();
    let _ = worker.on(Happening::Stopping, seconds(1));
    let handed = Happening::Handed { leased: vec![leased(1, seconds(120))], asked_at: seconds(1) };
    assert_eq!(kinds(&worker.on(handed, seconds(1))), ["give back"], "a node that stops begins nothing");
}
