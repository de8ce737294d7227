//! People's work.

use buildly_model::StoreError;
use serde_json::json;

use super::world::{ACME, Subject, at, open_task, run_id, step};
use crate::{ActivationId, Command, Doer, Stepped, StoredTask, TaskFilter, TaskStatus};

async fn task(subject: &Subject, activation: u64) -> Option<StoredTask> {
    subject.store.find_task(ACME, run_id(1), ActivationId(activation)).await.expect("reads")
}

async fn command(subject: &Subject, version: u64, command: Command) -> Result<(), StoreError> {
    subject.step(ACME, Stepped { tasks: vec![command], ..step(1, version) }).await
}

fn claim(activation: u64, by: &str) -> Command {
    Command::ClaimTask { activation: ActivationId(activation), by: by.to_owned() }
}

fn close(activation: u64) -> Command {
    Command::CloseTask { activation: ActivationId(activation) }
}

pub async fn a_task_is_opened_claimed_and_closed(subject: &Subject) {
    let tasks = vec![open_task(7, Some("approvers"), Some("grace"))];
    subject.begun(1, ACME, Stepped { tasks, ..step(1, 0) }).await;
    let open = StoredTask {
        organization: ACME,
        run: run_id(1),
        activation: ActivationId(7),
        template: "onboarding".to_owned(),
        template_version: 3,
        level: "approve".to_owned(),
        group: Some("approvers".to_owned()),
        user: Some("grace".to_owned()),
        claimed_by: None,
        show: json!({ "amount": 7, "text": "nul \u{0} inside" }),
        due: Some(at(500)),
        status: TaskStatus::Open,
        created_at: at(10),
    };
    assert_eq!(task(subject, 7).await, Some(open.clone()));
    command(subject, 1, claim(7, "user:grace")).await.expect("it is open");
    let claimed =
        StoredTask { claimed_by: Some("user:grace".to_owned()), status: TaskStatus::Claimed, ..open.clone() };
    assert_eq!(task(subject, 7).await, Some(claimed.clone()));
    command(subject, 2, close(7)).await.expect("it is there");
    assert_eq!(task(subject, 7).await, Some(StoredTask { status: TaskStatus::Closed, ..claimed }));
    for (case, again) in [("claimed", claim(7, "user:eve")), ("closed", close(7)), ("no such", close(8))] {
        let refused = command(subject, 3, again).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{case}: {refused:?}");
    }
    command(subject, 3, open_task(7, Some("approvers"), Some("grace"))).await.expect("it is given out again");
    assert_eq!(task(subject, 7).await, Some(open));
}

/// A run with these tasks, by activation from 1.
async fn tasks(subject: &Subject, number: u128, whose: &[(Option<&str>, Option<&str>)]) {
    let tasks = (1..).zip(whose).map(|(activation, (group, user))| open_task(activation, *group, *user));
    let tasks = tasks.collect();
    subject.begun(number, ACME, Stepped { tasks, ..step(number, 0) }).await;
}

async fn found(subject: &Subject, filter: &TaskFilter) -> Vec<(u128, u64)> {
    let rows = subject.store.tasks(ACME, filter, None, 100).await.expect("reads").rows;
    rows.iter().map(|task| (task.run.as_uuid().as_u128(), task.activation.0)).collect()
}

pub async fn a_task_is_found_by_each_condition(subject: &Subject) {
    tasks(subject, 1, &[(Some("a"), None), (Some("a"), None), (Some("a"), None)]).await;
    tasks(subject, 2, &[(Some("b"), None)]).await;
    command(subject, 1, claim(2, "user:ada")).await.expect("it is open");
    command(subject, 2, close(3)).await.expect("it is open");
    let all = TaskFilter::default();
    for (case, filter, expected) in [
        ("nothing said", all.clone(), vec![(2, 1), (1, 3), (1, 2), (1, 1)]),
        ("run", TaskFilter { run: Some(run_id(1)), ..all.clone() }, vec![(1, 3), (1, 2), (1, 1)]),
        ("open", TaskFilter { status: Some(TaskStatus::Open), ..all.clone() }, vec![(2, 1), (1, 1)]),
        ("claimed", TaskFilter { status: Some(TaskStatus::Claimed), ..all.clone() }, vec![(1, 2)]),
        ("closed", TaskFilter { status: Some(TaskStatus::Closed), ..all.clone() }, vec![(1, 3)]),
        ("both", TaskFilter { run: Some(run_id(2)), status: Some(TaskStatus::Closed), ..all }, vec![]),
    ] {
        assert_eq!(found(subject, &filter).await, expected, "{case}");
    }
}

pub async fn a_task_is_theirs_who_may_do_it(subject: &Subject) {
    let whose = [
        (Some("sales"), None),
        (None, Some("ada")),
        (None, Some("grace")),
        (Some("sales"), Some("grace")),
        (Some("support"), None),
        (Some("ada"), None),
    ];
    tasks(subject, 1, &whose).await;
    let doer = |actor: &str, names: &[&str], groups: &[&str]| Doer {
        actor: actor.to_owned(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    };
    let ada = doer("user:1", &["ada", "1"], &["sales", "staff"]);
    let mine = |doer: &Doer| TaskFilter { doer: Some(doer.clone()), ..TaskFilter::default() };
    for (case, doer, expected) in [
        ("her name and group", ada.clone(), vec![(1, 4), (1, 2), (1, 1)]),
        ("only names", doer("user:1", &["ada"], &[]), vec![(1, 2)]),
        ("only groups", doer("user:1", &[], &["support", "sales"]), vec![(1, 5), (1, 4), (1, 1)]),
        ("nobody", doer("user:1", &[], &[]), vec![]),
    ] {
        assert_eq!(found(subject, &mine(&doer)).await, expected, "{case}");
    }
    command(subject, 1, claim(1, "user:1")).await.expect("it is open");
    command(subject, 2, claim(4, "user:2")).await.expect("it is open");
    assert_eq!(found(subject, &mine(&ada)).await, [(1, 2), (1, 1)], "what another has taken is not hers");
    let open = TaskFilter { status: Some(TaskStatus::Open), ..mine(&ada) };
    assert_eq!(found(subject, &open).await, [(1, 2)]);
}
