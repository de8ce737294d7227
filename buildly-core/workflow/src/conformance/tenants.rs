//! Nothing crosses an organization.

use buildly_journal::Part;
use buildly_model::StoreError;

use super::templates::{moved, template};
use super::world::{
    ACME, GLOBEX, NODE, Subject, at, begin, effect, fact, open_task, run, run_id, step, timer,
};
use crate::{
    ActivationId, Change, Doer, RunFilter, Stepped, TaskFilter, TemplateFilter, TemplateStatus, TimerKind,
    Used,
};

/// GLOBEX has one of everything; its run is at version 1.
async fn theirs(subject: &Subject) {
    subject.nodes_live().await;
    let draft = template("onboarding", 1, 'a');
    subject.write(GLOBEX, Change::TemplateSaved(draft)).await.expect("it is new");
    let stepped = Stepped {
        events: vec![fact(1)],
        effects: vec![effect(5)],
        timers: vec![timer(6, Some(at(100)))],
        tasks: vec![open_task(7, Some("approvers"), None)],
        ..step(1, 0)
    };
    subject.begun(1, GLOBEX, stepped).await;
    subject.queue(GLOBEX, 1, "waiting").await.expect("the run is there");
}

/// Whoever knows names and ids of another organization gets nothing by it.
pub async fn nothing_of_another_organization_is_read_or_changed(subject: &Subject) {
    theirs(subject).await;
    let store = &subject.store;
    let (id, task) = (run_id(1), ActivationId(7));
    let doer = Doer { actor: "user:eve".to_owned(), names: Vec::new(), groups: vec!["approvers".to_owned()] };
    let of_doer = TaskFilter { doer: Some(doer), ..TaskFilter::default() };
    assert_eq!(store.find_template(ACME, "onboarding", Some(1)).await.expect("reads"), None);
    assert_eq!(store.newest_template(ACME, "onboarding").await.expect("reads"), None);
    let templates = store.templates(ACME, &TemplateFilter::default(), None, 10).await.expect("reads");
    assert_eq!(templates.rows, []);
    assert_eq!(store.find_run(ACME, id).await.expect("reads"), None);
    assert_eq!(store.runs(ACME, &RunFilter::default(), None, 10).await.expect("reads").rows, []);
    assert_eq!(store.run_events(ACME, id, 0, 10).await.expect("reads"), []);
    assert_eq!(store.find_task(ACME, id, task).await.expect("reads"), None);
    for filter in [TaskFilter::default(), of_doer] {
        assert_eq!(store.tasks(ACME, &filter, None, 10).await.expect("reads").rows, []);
    }

    let leased = subject.take(NODE, 1).await.remove(0);
    let waiting = subject.waiting(1).await[0].id;
    let timer = Used::Timer { activation: ActivationId(6), kind: TimerKind::Wait, due: at(100) };
    let effect = Used::Effect { id: leased.id, epoch: leased.epoch };
    subject.begun(2, ACME, step(2, 0)).await;
    let before = subject.read(GLOBEX, 1).await;
    let using = |used| Change::RunStepped(Box::new(Stepped { used: vec![used], ..step(2, 1) }));
    let draft = template("onboarding", 1, 'a');
    for (case, change) in [
        ("step", Change::RunStepped(Box::new(step(1, 1)))),
        ("input", using(Used::Inbox(waiting))),
        ("timer", using(timer)),
        ("effect", using(effect)),
        ("publish", moved(&draft, TemplateStatus::Draft, TemplateStatus::Published)),
        ("delete", Change::DraftDeleted { name: "onboarding".to_owned(), version: 1 }),
    ] {
        let refused = subject.write(ACME, change).await;
        let is_refused = matches!(refused, Err(StoreError::Missing { .. } | StoreError::Stale));
        assert!(is_refused, "{case}: {refused:?}");
    }
    assert_eq!(subject.read(GLOBEX, 1).await, before);
    assert_eq!(subject.waiting(1).await.len(), 1);
    assert_eq!(subject.work.due_timers(at(1_000), None, 10).await.expect("reads").len(), 1);

    // What says in itself that it is theirs becomes ours all the same.
    let mut named = run(3, GLOBEX);
    named.organization = GLOBEX;
    let input = begin(&named);
    let started =
        Change::RunStarted { run: named, start_key: None, state: "{}".to_owned(), input: Some(input) };
    subject.write(ACME, started).await.expect("it is new");
    assert_eq!(store.find_run(GLOBEX, run_id(3)).await.expect("reads"), None);
    assert_eq!(subject.read(ACME, 3).await.summary.organization, ACME);
}

pub async fn the_deployment_has_no_runs(subject: &Subject) {
    let start = run(1, ACME);
    let input = begin(&start);
    for (case, change) in [
        (
            "run",
            Change::RunStarted { run: start, start_key: None, state: "{}".to_owned(), input: Some(input) },
        ),
        ("template", Change::TemplateSaved(template("onboarding", 1, 'a'))),
    ] {
        let refused = subject.commits.commit(Part::of_all(None, vec![change], Vec::new())).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{case}: {refused:?}");
    }
}
