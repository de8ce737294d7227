//! What a step writes: all of it or nothing.

use std::sync::Arc;

use buildly_journal::Part;
use buildly_model::StoreError;
use serde_json::json;

use super::world::{
    ACME, LONG, NODE, Subject, at, effect, fact, open_task, run, run_id, signal, step, timer,
};
use crate::{
    ActivationId, Change, EffectId, InboxId, RunEvent, RunSummary, Status, Stepped, StoredRun, TaskFilter,
    TimerKind, Used,
};

/// A step that does something of everything.
fn busy(number: u128, version: u64) -> Stepped {
    Stepped {
        events: vec![fact(1), fact(2)],
        effects: vec![effect(5)],
        timers: vec![timer(6, Some(at(100)))],
        tasks: vec![open_task(7, Some("approvers"), None)],
        ..step(number, version)
    }
}

/// What there is of a run: events, effects, timers, tasks.
async fn counts(subject: &Subject, number: u128) -> [usize; 4] {
    let run = run_id(number);
    let events = subject.store.run_events(ACME, run, 0, 100).await.expect("reads");
    let leased = subject.work.take_effects(NODE, 100, LONG).await.expect("takes");
    for leased in &leased {
        subject.work.give_back_effect(leased.id, leased.epoch).await.expect("gives back");
    }
    let timers = subject.work.due_timers(at(1_000_000), None, 100).await.expect("reads");
    let filter = TaskFilter { run: Some(run), ..TaskFilter::default() };
    let tasks = subject.store.tasks(ACME, &filter, None, 100).await.expect("reads").rows;
    [
        events.len(),
        leased.iter().filter(|leased| leased.run == run).count(),
        timers.iter().filter(|timer| timer.run == run).count(),
        tasks.len(),
    ]
}

pub async fn a_step_is_written_whole(subject: &Subject) {
    subject.nodes_live().await;
    subject.begun(1, ACME, busy(1, 0)).await;
    assert_eq!(subject.waiting(1).await, [], "its input is used up");
    assert_eq!(counts(subject, 1).await, [2, 1, 1, 1]);
    let summary = RunSummary { status: Status::Running, updated_at: at(10), ..run(1, ACME) };
    let state = "{\"after\":0}".to_owned();
    let expected = StoredRun { summary: summary.clone(), version: 1, events: 2, state };
    assert_eq!(subject.read(ACME, 1).await, expected);

    let ended = Stepped { is_ended: true, status: Status::Completed, at: at(20), ..step(1, 1) };
    subject.step(ACME, ended).await.expect("it is at version 1");
    let summary =
        RunSummary { status: Status::Completed, updated_at: at(20), ended_at: Some(at(20)), ..summary };
    let expected = StoredRun { summary, version: 2, events: 2, state: "{\"after\":1}".to_owned() };
    assert_eq!(subject.read(ACME, 1).await, expected);
}

pub async fn a_stale_step_writes_nothing(subject: &Subject) {
    subject.nodes_live().await;
    subject.begun(1, ACME, step(1, 0)).await;
    let before = subject.read(ACME, 1).await;
    subject.queue(ACME, 1, "kept").await.expect("the run is there");
    let kept = subject.waiting(1).await;
    for version in [0, 2] {
        let used = vec![Used::Inbox(kept[0].id)];
        let stale = subject.step(ACME, Stepped { used, ..busy(1, version) }).await;
        assert!(matches!(stale, Err(StoreError::Stale)), "{version}: {stale:?}");
    }
    assert_eq!(subject.read(ACME, 1).await, before);
    assert_eq!(counts(subject, 1).await, [0, 0, 0, 0]);
    assert_eq!(subject.waiting(1).await, kept, "what it was made from is still there");
    let missing = subject.step(ACME, busy(9, 0)).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "got {missing:?}");
}

pub async fn of_many_steps_of_one_version_one_wins(subject: &Subject) {
    subject.nodes_live().await;
    subject.begun(1, ACME, step(1, 0)).await;
    for version in 1..4 {
        let stepping = (0..8).map(|_| {
            let (commits, change) = (Arc::clone(&subject.commits), busy(1, version));
            let mut change = Stepped { tasks: Vec::new(), ..change };
            change.timers.clear();
            let change = Change::RunStepped(Box::new(change));
            tokio::spawn(async move { commits.commit(Part::of_all(Some(ACME), vec![change], vec![])).await })
        });
        let mut won = 0;
        for stepped in stepping.collect::<Vec<_>>() {
            let outcome = stepped.await.expect("no panic");
            won += u32::from(outcome.is_ok());
            assert!(matches!(outcome, Ok(_) | Err(StoreError::Stale)), "got {outcome:?}");
        }
        assert_eq!(won, 1, "version {version}");
    }
    assert_eq!(subject.read(ACME, 1).await.version, 4);
    assert_eq!(counts(subject, 1).await, [6, 3, 0, 0]);
}

/// Everything that a step may be made from, none of it there.
fn absent() -> [(&'static str, Used); 3] {
    let timer = Used::Timer { activation: ActivationId(3), kind: TimerKind::Retry, due: at(100) };
    let effect = Used::Effect { id: EffectId(4_711), epoch: 1 };
    [("input", Used::Inbox(InboxId(4_711))), ("timer", timer), ("effect", effect)]
}

pub async fn a_step_without_its_input_writes_nothing(subject: &Subject) {
    subject.nodes_live().await;
    subject.begun(1, ACME, step(1, 0)).await;
    subject.queue(ACME, 1, "kept").await.expect("the run is there");
    let kept = subject.waiting(1).await;
    for (case, gone) in absent() {
        let used = vec![Used::Inbox(kept[0].id), gone];
        let refused = subject.step(ACME, Stepped { used, ..busy(1, 1) }).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{case}: {refused:?}");
    }
    assert_eq!(subject.read(ACME, 1).await.version, 1);
    assert_eq!(counts(subject, 1).await, [0, 0, 0, 0]);
    assert_eq!(subject.waiting(1).await, kept, "what it would have used is still there");
}

/// Who is late need not decide again.
pub async fn what_is_used_up_counts_before_what_is_stale(subject: &Subject) {
    subject.begun(1, ACME, step(1, 0)).await;
    for (case, gone) in absent() {
        let refused = subject.step(ACME, Stepped { used: vec![gone], ..step(1, 0) }).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{case}: {refused:?}");
    }
}

pub async fn a_refused_change_takes_the_step_beside_it_back(subject: &Subject) {
    subject.nodes_live().await;
    subject.begun(1, ACME, step(1, 0)).await;
    let stepped = Change::RunStepped(Box::new(busy(1, 1)));
    let input = signal("go", json!(1));
    let to_nobody = Change::InputQueued { run: run_id(9), key: "k".to_owned(), at: at(1), input };
    let refused = subject.write_all(ACME, vec![stepped.clone(), to_nobody]).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
    assert_eq!(subject.read(ACME, 1).await.version, 1);
    assert_eq!(counts(subject, 1).await, [0, 0, 0, 0]);

    let child = run(2, ACME);
    let input = super::world::begin(&child);
    let started =
        Change::RunStarted { run: child, start_key: None, state: "{}".to_owned(), input: Some(input) };
    subject.write_all(ACME, vec![stepped, started]).await.expect("all of it can be written");
    assert_eq!(counts(subject, 1).await, [2, 1, 1, 1]);
    assert_eq!(subject.waiting(2).await.len(), 1);
}

pub async fn events_are_numbered_through_all_steps(subject: &Subject) {
    subject.begun(1, ACME, step(1, 0)).await;
    subject.begun(2, ACME, Stepped { events: vec![fact(100)], ..step(2, 0) }).await;
    let mut expected = Vec::new();
    for (version, many) in [(1, 3), (2, 0), (3, 1), (4, 25)] {
        let first = expected.len() as u64 + 1;
        let events: Vec<_> = (first..first + many).map(fact).collect();
        let when = at(i64::try_from(version).expect("small"));
        expected.extend((first..).zip(events.clone()).map(|(number, event)| RunEvent {
            number,
            at: when,
            event,
        }));
        subject.step(ACME, Stepped { events, at: when, ..step(1, version) }).await.expect("in order");
    }
    assert_eq!(subject.store.run_events(ACME, run_id(1), 0, 1_000).await.expect("reads"), expected);
    assert_eq!(subject.read(ACME, 1).await.events, 29);
}

pub async fn a_history_is_read_in_parts(subject: &Subject) {
    subject.begun(1, ACME, step(1, 0)).await;
    // One big step and many small ones.
    for version in 1..60 {
        let many = if version == 5 { 200 } else { version % 3 };
        let events = (0..many).map(fact).collect();
        subject.step(ACME, Stepped { events, ..step(1, version) }).await.expect("in order");
    }
    let total = subject.read(ACME, 1).await.events;
    let all = subject.store.run_events(ACME, run_id(1), 0, 1_000).await.expect("reads");
    assert_eq!(all.iter().map(|event| event.number).collect::<Vec<_>>(), (1..=total).collect::<Vec<_>>());
    for rows_max in [1, 7, 150] {
        let (mut read, mut after) = (Vec::new(), 0);
        loop {
            let part = subject.store.run_events(ACME, run_id(1), after, rows_max).await.expect("reads");
            assert!(part.len() <= rows_max as usize);
            let Some(last) = part.last() else { break };
            after = last.number;
            read.extend(part);
        }
        assert_eq!(read, all, "{rows_max} at a time");
    }
}
