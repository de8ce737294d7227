//! The engine of one node: performs effects, empties inboxes, fires timers.
//!
//! Everything it does can be done by any node, several times over: what counts is the unit that
//! removes the row. So a node that is killed leaves nothing behind that another would not take.

mod effects;
mod inbox;
mod resting;
mod timers;

use std::sync::Arc;

use buildly_journal::LeaseId;
use buildly_model::{OrganizationId, RunId, StoreError};
use tokio::sync::watch;
use tracing::warn;

use crate::advance::By;
use crate::decide::Given;
use crate::{Error, Services, WorkerSettings, Workflow};
use resting::Resting;

/// What a node's engine works with.
#[derive(Clone)]
pub struct Engine {
    /// Steps runs.
    pub workflow: Workflow,
    /// Performs effects.
    pub services: Arc<dyn Services>,
    /// The node's lease now, under which it takes effects.
    pub owner: Arc<dyn Fn() -> LeaseId + Send + Sync>,
    /// How it works.
    pub settings: WorkerSettings,
}

/// What became of inputs that a machine handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// They are committed, or somebody else's are.
    Settled,
    /// Try again.
    Again,
}

impl Engine {
    /// Works until told to stop; then calls under way are given a bounded time to end.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let resting = Arc::new(Resting::default());
        tokio::join!(
            effects::perform(&self, &resting, stop.clone()),
            inbox::empty(&self, &resting, stop.clone()),
            timers::fire(&self, &resting, stop),
        );
    }

    /// Takes inputs of machines into a run.
    async fn take(
        &self,
        resting: &Resting,
        organization: OrganizationId,
        run: RunId,
        given: &[Given],
    ) -> Taken {
        match self.workflow.advance(organization, run, given, By::Machine).await {
            Ok(_) | Err(Error::Store(StoreError::Missing { .. })) => Taken::Settled,
            Err(Error::Store(error @ (StoreError::Stale | StoreError::Unavailable { .. }))) => {
                tracing::debug!(%run, %error, "a step was not written; it is taken again");
                Taken::Again
            }
            Err(error) => {
                warn!(%run, %error, "a step cannot be taken; the run rests for a minute");
                resting.rest(run);
                Taken::Again
            }
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped, too.
    let _ = stop.wait_for(|stop| *stop).await;
}
