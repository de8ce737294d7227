//! Inputs that wait in inboxes, taken by their runs.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use buildly_model::{OrganizationId, RunId};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tracing::warn;

use super::resting::Resting;
use super::{Engine, Taken, stopped};
use crate::decide::Given;
use crate::{Used, Waiting};

/// How many are read at once.
const ROWS_MAX: u32 = 500;
/// How many runs are stepped at once.
const AT_ONCE_MAX: usize = 32;

pub(super) async fn empty(engine: &Engine, resting: &Arc<Resting>, mut stop: watch::Receiver<bool>) {
    let poll = engine.settings.poll;
    loop {
        pass(engine, resting, &stop).await;
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            () = engine.workflow.parts.bells.inbox_or(poll.max(Duration::from_millis(1))) => {}
        }
    }
}

/// Reads all that waits, a page at a time, past the inputs of runs that rest.
async fn pass(engine: &Engine, resting: &Arc<Resting>, stop: &watch::Receiver<bool>) {
    let mut after = None;
    // A run that did not take its inputs must not be given later ones before them.
    let mut held = HashSet::new();
    while !*stop.borrow() {
        match engine.workflow.parts.work.waiting_inputs(after, ROWS_MAX).await {
            Ok(waiting) => {
                held.extend(take_all(engine, resting, waiting.rows, &held).await);
                let Some(next) = waiting.next else { return };
                after = Some(next);
            }
            Err(error) => {
                warn!(%error, "inboxes cannot be read; trying again");
                return;
            }
        }
    }
}

/// Each run takes all of its own in one unit; says which runs did not take theirs.
async fn take_all(
    engine: &Engine,
    resting: &Arc<Resting>,
    waiting: Vec<Waiting>,
    held: &HashSet<RunId>,
) -> Vec<RunId> {
    let mut runs: BTreeMap<(OrganizationId, RunId), Vec<Given>> = BTreeMap::new();
    for Waiting { id, organization, run, input } in waiting {
        if !resting.rests(run) && !held.contains(&run) {
            let given = Given { used: Some(Used::Inbox(id)), input };
            runs.entry((organization, run)).or_default().push(given);
        }
    }
    let mut under_way = JoinSet::new();
    let mut refused = Vec::new();
    for ((organization, run), given) in runs {
        if under_way.len() >= AT_ONCE_MAX {
            refused.extend(under_way.join_next().await.and_then(not_taken));
        }
        let (engine, resting) = (engine.clone(), Arc::clone(resting));
        under_way.spawn(async move { (run, engine.take(&resting, organization, run, &given).await) });
    }
    while let Some(done) = under_way.join_next().await {
        refused.extend(not_taken(done));
    }
    refused
}

fn not_taken(done: Result<(RunId, Taken), JoinError>) -> Option<RunId> {
    done.ok().filter(|(_, taken)| *taken == Taken::Again).map(|(run, _)| run)
}
