//! What waits for a run: inputs and timers.

use buildly_model::StoreError;
use serde_json::json;

use super::world::{ACME, GLOBEX, Subject, at, run, run_id, signal, step, timer};
use crate::{ActivationId, Change, DueTimer, Stepped, Timer, TimerKind, Used, Waiting};

pub async fn an_input_waits_once_under_its_key(subject: &Subject) {
    subject.begun(1, ACME, step(1, 0)).await;
    subject.begun(2, ACME, step(2, 0)).await;
    let queued = |payload| Change::InputQueued {
        run: run_id(1),
        key: "signal:go".to_owned(),
        at: at(1),
        input: signal("go", payload),
    };
    subject.write(ACME, queued(json!("first"))).await.expect("the run is there");
    subject.write(ACME, queued(json!("second"))).await.expect("the second is no error");
    let waiting = subject.waiting(1).await;
    let inputs: Vec<_> = waiting.iter().map(|waiting| waiting.input.clone()).collect();
    assert_eq!(inputs, [signal("go", json!("first"))], "the first stays");
    subject.queue(ACME, 2, "signal:go").await.expect("another run has its own");
    assert_eq!(subject.waiting(2).await.len(), 1);

    let used = vec![Used::Inbox(waiting[0].id)];
    subject.step(ACME, Stepped { used, ..step(1, 1) }).await.expect("nobody else steps it");
    subject.write(ACME, queued(json!("third"))).await.expect("the run is there");
    assert_eq!(subject.waiting(1).await.len(), 1, "once used, the key is free");
}

pub async fn inputs_wait_in_the_order_they_came(subject: &Subject) {
    for number in [1, 2] {
        subject.begun(number, ACME, step(number, 0)).await;
    }
    let mut expected = Vec::new();
    for turn in 0..10_u32 {
        let (number, key) = (1 + u128::from(turn % 2), format!("key {turn}"));
        subject.queue(ACME, number, &key).await.expect("the run is there");
        expected.push((run_id(number), signal(&key, json!(null))));
    }
    let seen = |waiting: Vec<Waiting>| -> Vec<_> {
        waiting.into_iter().map(|waiting| (waiting.run, waiting.input)).collect()
    };
    let all = subject.work.waiting_inputs(None, 100).await.expect("reads");
    assert_eq!(all.next, None);
    assert_eq!(seen(all.rows), expected);
    let (mut after, mut paged) = (None, Vec::new());
    loop {
        let page = subject.work.waiting_inputs(after, 3).await.expect("reads");
        paged.extend(seen(page.rows));
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    assert_eq!(paged, expected, "read three by three");
}

pub async fn an_input_needs_its_run(subject: &Subject) {
    subject.start(run(1, GLOBEX)).await;
    for (case, number) in [("no such run", 9), ("another organization's", 1)] {
        let refused = subject.queue(ACME, number, "k").await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{case}: {refused:?}");
    }
}

async fn due(subject: &Subject, seconds: i64, rows_max: u32) -> Vec<(DueTimer, u64)> {
    let due = subject.work.due_timers(at(seconds), None, rows_max).await.expect("reads");
    due.into_iter().map(|timer| (timer, timer.activation.0)).collect()
}

pub async fn timers_come_due_in_order_and_bounded(subject: &Subject) {
    assert_eq!(subject.work.next_due().await.expect("reads"), None);
    let timers = vec![timer(1, Some(at(300))), timer(2, Some(at(100))), timer(3, Some(at(200)))];
    subject.begun(1, ACME, Stepped { timers, ..step(1, 0) }).await;
    let timers = vec![timer(4, Some(at(150))), timer(5, Some(at(400)))];
    subject.begun(2, GLOBEX, Stepped { timers, ..step(2, 0) }).await;
    assert_eq!(subject.work.next_due().await.expect("reads"), Some(at(100)));
    let numbers = |due: Vec<(DueTimer, u64)>| due.into_iter().map(|(_, number)| number).collect::<Vec<_>>();
    for (case, seconds, rows_max, expected) in [
        ("before the first", 99, 10, vec![]),
        ("at the very moment", 100, 10, vec![2]),
        ("all that are due", 300, 10, vec![2, 4, 3, 1]),
        ("no more than asked", 1_000, 2, vec![2, 4]),
    ] {
        assert_eq!(numbers(due(subject, seconds, rows_max).await), expected, "{case}");
    }
    let expected = DueTimer {
        organization: GLOBEX,
        run: run_id(2),
        activation: ActivationId(4),
        kind: TimerKind::Wait,
        due: at(150),
    };
    assert_eq!(due(subject, 150, 10).await[1].0, expected);
    let after = Some((at(150), run_id(2)));
    let later = subject.work.due_timers(at(1_000), after, 2).await.expect("reads");
    let later: Vec<u64> = later.into_iter().map(|timer| timer.activation.0).collect();
    assert_eq!(later, [3, 1], "read on from there");
}

pub async fn a_timer_that_was_set_anew_is_another(subject: &Subject) {
    let retry = |due| Timer { kind: TimerKind::Retry, ..timer(1, due) };
    let timers = vec![timer(1, Some(at(100))), retry(Some(at(50))), timer(2, Some(at(60))), timer(2, None)];
    subject.begun(1, ACME, Stepped { timers, ..step(1, 0) }).await;
    let seen = |due: Vec<(DueTimer, u64)>| -> Vec<_> {
        due.into_iter().map(|(timer, number)| (number, timer.kind, timer.due)).collect()
    };
    let both = [(1, TimerKind::Retry, at(50)), (1, TimerKind::Wait, at(100))];
    assert_eq!(seen(due(subject, 1_000, 10).await), both, "one of each kind; the last word counts");

    subject
        .step(ACME, Stepped { timers: vec![timer(1, Some(at(200))), retry(None)], ..step(1, 1) })
        .await
        .expect("in order");
    assert_eq!(seen(due(subject, 1_000, 10).await), [(1, TimerKind::Wait, at(200))]);
    let used = |due| vec![Used::Timer { activation: ActivationId(1), kind: TimerKind::Wait, due }];
    let old = subject.step(ACME, Stepped { used: used(at(100)), ..step(1, 2) }).await;
    assert!(matches!(old, Err(StoreError::Missing { .. })), "got {old:?}");
    // A step may use a timer up and set it again.
    let again = Stepped { used: used(at(200)), timers: vec![timer(1, Some(at(300)))], ..step(1, 2) };
    subject.step(ACME, again).await.expect("it is due as it says");
    assert_eq!(seen(due(subject, 1_000, 10).await), [(1, TimerKind::Wait, at(300))]);
}
