//! Pages.

use super::world::{ACME, Subject, run, run_id};
use crate::RunFilter;

pub async fn pages_are_complete_while_rows_are_added(subject: &Subject) {
    for number in 1..=9 {
        subject.start(run(number, ACME)).await;
    }
    let filter = RunFilter::default();
    let (mut read, mut after, mut pages, mut added) = (Vec::new(), None, 0, 100);
    loop {
        let page = subject.store.runs(ACME, &filter, after, 3).await.expect("reads");
        pages += 1;
        read.extend(page.rows.iter().map(|run| run.id));
        after = page.next;
        if after.is_none() {
            break;
        }
        // New rows stand before the place where reading goes on.
        added += 1;
        subject.start(run(added, ACME)).await;
    }
    let expected: Vec<_> = (1..=9).rev().map(run_id).collect();
    assert_eq!((pages, read), (3, expected), "each row once, newest first, and the last page says so");
    let exact = subject.store.runs(ACME, &filter, None, 11).await.expect("reads");
    assert_eq!((exact.rows.len(), exact.next), (11, None));
}
