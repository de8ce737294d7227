//! Runs that begin.

use buildly_model::StoreError;

use super::world::{ACME, GLOBEX, Subject, at, begin, run, run_id, step};
use crate::{ActivationId, Change, RunFilter, RunSummary, Status, StoredRun};

pub async fn a_run_reads_back_as_it_was_started(subject: &Subject) {
    let full = RunSummary {
        business_key: Some("order/7 \u{1F600}".to_owned()),
        parent: Some((run_id(1), ActivationId(4))),
        updated_at: at(3),
        ..run(2, ACME)
    };
    for summary in [run(1, ACME), full] {
        subject.start(summary.clone()).await;
        let found = subject.store.find_run(ACME, summary.id).await.expect("reads");
        let expected = StoredRun { summary: summary.clone(), version: 0, events: 0, state: "{}".to_owned() };
        assert_eq!(found, Some(expected));
        let all = subject.work.waiting_inputs(None, 10).await.expect("reads").rows;
        let waiting = all.into_iter().filter(|waiting| waiting.run == summary.id);
        let inputs: Vec<_> = waiting.map(|waiting| (waiting.organization, waiting.input)).collect();
        assert_eq!(inputs, [(ACME, begin(&summary))]);
    }
    assert_eq!(subject.store.find_run(ACME, run_id(3)).await.expect("reads"), None);
}

fn start(run: RunSummary, key: &str) -> Change {
    let (start_key, input) = (Some(key.to_owned()), begin(&run));
    Change::RunStarted { run, start_key, state: "{}".to_owned(), input: Some(input) }
}

pub async fn a_start_key_starts_one_run(subject: &Subject) {
    subject.write(ACME, start(run(1, ACME), "first")).await.expect("it is new");
    let again = subject.write(ACME, start(run(2, ACME), "first")).await;
    assert!(matches!(again, Err(StoreError::Taken { field: "key" })), "got {again:?}");
    assert_eq!(subject.store.find_run(ACME, run_id(2)).await.expect("reads"), None);
    assert_eq!(subject.waiting(2).await, [], "nor is anything left of its input");
    subject.write(ACME, start(run(3, ACME), "second")).await.expect("another key");
    subject.write(GLOBEX, start(run(4, GLOBEX), "first")).await.expect("another organization");
    for number in [5, 6] {
        subject.start(run(number, ACME)).await;
    }
    let found = |found: Option<StoredRun>| found.map(|run| run.summary.id);
    for (organization, key, expected) in
        [(ACME, "first", Some(1)), (ACME, "second", Some(3)), (GLOBEX, "first", Some(4)), (ACME, "x", None)]
    {
        let started = subject.store.find_started(organization, key).await.expect("reads");
        assert_eq!(found(started), expected.map(run_id), "{key}");
    }
}

pub async fn of_many_who_start_with_one_key_one_wins(subject: &Subject) {
    let starting = (1..=10).map(|number| {
        let commits = std::sync::Arc::clone(&subject.commits);
        let part = buildly_journal::Part::of_all(Some(ACME), vec![start(run(number, ACME), "k")], vec![]);
        tokio::spawn(async move { commits.commit(part).await })
    });
    let mut won = 0;
    for started in starting.collect::<Vec<_>>() {
        let outcome = started.await.expect("no panic");
        won += u32::from(outcome.is_ok());
        assert!(matches!(outcome, Ok(_) | Err(StoreError::Taken { field: "key" })), "got {outcome:?}");
    }
    assert_eq!(won, 1);
    assert_eq!(subject.work.waiting_inputs(None, 100).await.expect("reads").rows.len(), 1);
}

pub async fn runs_are_found_by_each_condition(subject: &Subject) {
    let child = RunSummary { parent: Some((run_id(1), ActivationId(2))), ..run(2, ACME) };
    let keyed = RunSummary { business_key: Some("order 7".to_owned()), ..run(3, ACME) };
    let other = RunSummary { template: "expense".to_owned(), ..run(4, ACME) };
    for one in [run(1, ACME), child, keyed, other] {
        subject.start(one).await;
    }
    let mut ended = step(4, 0);
    (ended.status, ended.is_ended) = (Status::Completed, true);
    subject.step(ACME, ended).await.expect("it is at version 0");
    subject.step(ACME, step(3, 0)).await.expect("it is at version 0");
    let all = RunFilter::default();
    let expense = Some("expense".to_owned());
    let order = Some("order 7".to_owned());
    for (case, filter, expected) in [
        ("nothing said", all.clone(), vec![4, 3, 2, 1]),
        ("template", RunFilter { template: expense.clone(), ..all.clone() }, vec![4]),
        ("status", RunFilter { status: Some(Status::New), ..all.clone() }, vec![2, 1]),
        ("moved status", RunFilter { status: Some(Status::Running), ..all.clone() }, vec![3]),
        ("ended", RunFilter { is_ended: Some(true), ..all.clone() }, vec![4]),
        ("not ended", RunFilter { is_ended: Some(false), ..all.clone() }, vec![3, 2, 1]),
        ("business key", RunFilter { business_key: order.clone(), ..all.clone() }, vec![3]),
        ("parent", RunFilter { parent: Some(run_id(1)), ..all.clone() }, vec![2]),
        ("several", RunFilter { template: expense, business_key: order, ..all }, vec![]),
    ] {
        let rows = subject.store.runs(ACME, &filter, None, 10).await.expect("reads").rows;
        let found: Vec<_> = rows.iter().map(|run| run.id).collect();
        let expected: Vec<_> = expected.into_iter().map(run_id).collect();
        assert_eq!(found, expected, "{case}");
    }
}
