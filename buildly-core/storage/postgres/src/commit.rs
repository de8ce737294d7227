//! Writing units: the one way anything changes.
//!
//! One task of each node takes all waiting units into one transaction, commits once, then
//! answers all. While one batch is on its way to the disk the next one gathers.

mod panic;
mod plain;
mod transaction;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildly_auth::Change as Auth;
use buildly_model::{OrganizationId, Random, Revision, StoreError};
use buildly_unit::{Change, Committer, Storage, Unit};
use sqlx::PgConnection;
use tokio::sync::{mpsc, oneshot};

use crate::engine::{Engine, unavailable};
use crate::wake::Wake;
use crate::{Postgres, extension, gateway, identity, mesh, token, workflow};
use plain::Ends;
use transaction::{Failure, Written};

/// How many units wait for the next batch; more callers wait until there is room.
pub(crate) const QUEUE_LENGTH_MAX: usize = 4096;
/// The most units of one transaction; it bounds how long the first of them waits.
const BATCH_LENGTH_MAX: usize = 256;
/// How often the task lets callers go first that it has just answered. Without that it would
/// begin with the first who comes back, and the others wait for two commits.
const GATHERS_MAX: u32 = 16;
/// How long a transaction may take before its connection is given up.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a unit that is alone in its transaction is tried against conflicts.
const CONFLICTS_MAX: u32 = 5;

/// What the committing task receives.
pub(crate) enum Message {
    /// A unit to write.
    Unit(Waiting),
    /// Finish what is queued, then end.
    Close,
}

/// A unit and who waits for it.
pub(crate) struct Waiting {
    unit: Unit,
    answer: Answer,
}

/// Whom a unit's outcome is told.
type Answer = oneshot::Sender<Result<Revision, StoreError>>;

#[async_trait]
impl Storage for Postgres {
    async fn backup(&self, _target: PathBuf) -> Result<(), StoreError> {
        let schema = self.engine.schema();
        Err(unavailable(format!(
            "back up PostgreSQL with its own tools, such as `pg_dump --schema {schema}`"
        )))
    }

    fn apart(&self) -> Option<Arc<dyn Storage>> {
        Some(Arc::new(Self { engine: self.apart.clone(), ..self.clone() }))
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

#[async_trait]
impl Committer for Postgres {
    async fn commit(&self, unit: Unit) -> Result<Revision, StoreError> {
        let closed = || unavailable("it has been closed");
        let (answer, answered) = oneshot::channel();
        self.shared.units.send(Message::Unit(Waiting { unit, answer })).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

/// The committing task.
pub(crate) struct Batches {
    engine: Engine,
    random: Arc<dyn Random>,
    wake: Arc<Wake>,
    /// Its own; `None` until it is needed, and after it was lost.
    connection: Option<PgConnection>,
    ends: Ends,
}

impl Batches {
    pub(crate) fn new(engine: Engine, random: Arc<dyn Random>, wake: Arc<Wake>) -> Self {
        Self { engine, random, wake, connection: None, ends: Ends::default() }
    }

    /// Serves the queue until it is closed.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Message>) {
        let mut messages = Vec::with_capacity(BATCH_LENGTH_MAX);
        let mut previous = 0;
        while queue.recv_many(&mut messages, BATCH_LENGTH_MAX).await > 0 {
            for _ in 0..GATHERS_MAX {
                if messages.len() + queue.len() >= previous {
                    break;
                }
                tokio::task::yield_now().await;
            }
            while messages.len() < BATCH_LENGTH_MAX
                && let Ok(message) = queue.try_recv()
            {
                messages.push(message);
            }
            previous = messages.len();
            let mut batch = Vec::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Unit(waiting) => batch.push(waiting),
                    Message::Close => queue.close(),
                }
            }
            let left = self.write_plain(batch).await;
            if !left.is_empty() {
                self.write(left).await;
            }
        }
    }

    /// Writes a batch; on conflicts in halves, in the order of arrival.
    async fn write(&mut self, batch: Vec<Waiting>) {
        let mut groups = VecDeque::from([(batch, 0)]);
        let mut may_reconnect = true;
        while let Some((mut group, conflicts)) = groups.pop_front() {
            match self.attempt(&group).await {
                Ok(outcomes) => {
                    let answers = group.into_iter().zip(outcomes);
                    // A caller that has gone away needs no answer.
                    answers.for_each(|(waiting, outcome)| drop(waiting.answer.send(outcome)));
                }
                Err(Failure::Conflict(_) | Failure::Refused(_)) if group.len() > 1 => {
                    let second = group.split_off(group.len() / 2);
                    groups.push_front((second, 0));
                    groups.push_front((group, 0));
                }
                Err(Failure::Conflict(_)) if conflicts < CONFLICTS_MAX => {
                    groups.push_front((group, conflicts + 1));
                }
                // A connection that died while it was idle: nothing was written.
                Err(Failure::LostBefore(_)) if may_reconnect => {
                    may_reconnect = false;
                    groups.push_front((group, conflicts));
                }
                Err(Failure::Refused(error)) => {
                    // Alone by now.
                    if let Some(waiting) = group.pop() {
                        drop(waiting.answer.send(Err(error)));
                    }
                }
                Err(Failure::Conflict(error) | Failure::LostBefore(error) | Failure::LostDuring(error)) => {
                    tracing::error!(error = %error, units = group.len(), "a batch of units was not committed");
                    refuse(group, &error);
                }
            }
        }
    }

    async fn attempt(&mut self, group: &[Waiting]) -> Result<Vec<Result<Revision, StoreError>>, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.engine.connect_to_write().await.map_err(Failure::LostDuring)?,
        };
        let written = transaction::write(&mut connection, group, &*self.random);
        match tokio::time::timeout(TRANSACTION_TIMEOUT, panic::caught(written)).await {
            // The connection goes, with the half of a statement that it may be in.
            Ok(Err(message)) => {
                tracing::error!(message, "a program error in the storage");
                Err(Failure::Refused(StoreError::corrupt(format!(
                    "a program error in the storage: {message}"
                ))))
            }
            Ok(Ok(Ok(Written { revision, outcomes, ends }))) => {
                self.connection = Some(connection);
                self.ends.remember(ends);
                self.wake.wrote(revision);
                Ok(outcomes)
            }
            Ok(Ok(Err(failure))) => {
                self.ends.forget();
                if matches!(failure, Failure::Conflict(_) | Failure::Refused(_)) {
                    self.connection = Some(connection);
                }
                // Else the connection goes, with whatever was open on it.
                Err(failure)
            }
            Err(_) => Err(Failure::LostDuring(unavailable("the database did not answer in time"))),
        }
    }
}

fn refuse(group: Vec<Waiting>, error: &StoreError) {
    for waiting in group {
        drop(waiting.answer.send(Err(unanswered(error))));
    }
}

/// The same error for one more caller.
fn unanswered(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable { reason, .. } => unavailable(reason.clone()),
        other => unavailable(other.to_string()),
    }
}

async fn apply(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    match change {
        Change::Auth(Auth::Identity(change)) => identity::apply(tx, organization, change).await,
        Change::Auth(Auth::Token(change)) => token::apply(tx, organization, change).await,
        Change::Gateway(change) => gateway::apply(tx, organization, change).await,
        Change::Mesh(change) => mesh::apply(tx, organization, change).await,
        Change::Workflow(change) => workflow::apply(tx, organization, change).await,
        Change::Extension(change) => extension::apply(tx, organization, change).await,
    }
}
