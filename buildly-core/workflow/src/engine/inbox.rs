//! Inputs that wait in inboxes, taken by their runs.

use std::collections::BTreeMap;
use std::time::Duration;

use buildly_model::{OrganizationId, RunId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use super::resting::Resting;
use super::{Engine, stopped};
use crate::decide::Given;
use crate::{Used, Waiting};
use std::sync::Arc;

/// How many are read at once.
const ROWS_MAX: u32 = 500;
/// How many runs are stepped at once.
const AT_ONCE_MAX: usize = 32;

pub(super) async fn empty(engine: &Engine, resting: &Arc<Resting>, mut stop: watch::Receiver<bool>) {
    let poll = engine.settings.poll;
    loop {
        let has_more = match engine.workflow.parts.work.waiting_inputs(ROWS_MAX).await {
            Ok(waiting) => {
                let is_full = waiting.len() >= ROWS_MAX as usize;
                take_all(engine, resting, waiting).await && is_full
            }
            Err(error) => {
                warn!(%error, "inboxes cannot be read; trying again");
                false
            }
        };
        if has_more && !*stop.borrow() {
            continue;
        }
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            () = engine.workflow.parts.bells.inbox_or(poll.max(Duration::from_millis(1))) => {}
        }
    }
}

/// Each run takes all of its own in one unit; says whether any run took something.
async fn take_all(engine: &Engine, resting: &Arc<Resting>, waiting: Vec<Waiting>) -> bool {
    let mut runs: BTreeMap<(OrganizationId, RunId), Vec<Given>> = BTreeMap::new();
    for Waiting { id, organization, run, input } in waiting {
        if !resting.rests(run) {
            let given = Given { used: Some(Used::Inbox(id)), input };
            runs.entry((organization, run)).or_default().push(given);
        }
    }
    let mut under_way = JoinSet::new();
    let mut has_taken = false;
    for ((organization, run), given) in runs {
        if under_way.len() >= AT_ONCE_MAX {
            has_taken |= settled(under_way.join_next().await);
        }
        let (engine, resting) = (engine.clone(), Arc::clone(resting));
        under_way.spawn(async move { engine.take(&resting, organization, run, &given).await });
    }
    while let Some(done) = under_way.join_next().await {
        has_taken |= settled(Some(done));
    }
    has_taken
}

fn settled(done: Option<Result<super::Taken, tokio::task::JoinError>>) -> bool {
    matches!(done, Some(Ok(super::Taken::Settled)))
}
