//! Signals: durable before anybody waits for them.

use buildly_journal::Part;
use buildly_model::{OrganizationId, Principal, RunId, StoreError};
use serde_json::{Value, json};

use crate::bells::Rings;
use crate::runs::check_key;
use crate::{Change, Error, Input, Right, RunFilter, Workflow};

/// The most runs that one business key may name at a time.
const RUNS_MAX: u32 = 100;

/// Whom a signal is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalTo {
    /// One run.
    Run(RunId),
    /// Every run of this business key that has not ended.
    BusinessKey(String),
}

/// A signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Its name.
    pub name: String,
    /// Two signals of a run with the same key are one.
    pub key: String,
    /// What it carries.
    pub payload: Value,
}

impl Workflow {
    /// Sends a signal; says which runs it is kept for. It is durable when this returns, whether
    /// somebody waits for it yet or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such run, [`Error::Conflict`] if it has ended,
    /// [`Error::Forbidden`] unless the caller started the run or operates runs.
    pub async fn signal(
        &self,
        principal: &Principal,
        to: &SignalTo,
        signal: Signal,
    ) -> Result<Vec<RunId>, Error> {
        for (field, text) in [("name", &signal.name), ("key", &signal.key)] {
            check_key(field, text)?;
        }
        let (organization, runs) = self.receivers(principal, to).await?;
        let now = self.parts.clock.now();
        let mut parts = Vec::new();
        for run in &runs {
            let Signal { name, key, payload } = signal.clone();
            let fact = self.fact("workflow.signal.sent", run, json!({"name": name, "key": key}), principal);
            let queued = format!("signal:{key}");
            let input = Input::Signal { name, dedup: key, payload };
            let change = Change::InputQueued { run: *run, key: queued, at: now, input };
            parts.push(Part::of(Some(organization), change, fact));
        }
        let rings = Rings::of(parts.iter().flat_map(|part| &part.changes));
        match self.parts.commits.commit_all(parts).await {
            Err(StoreError::Missing { .. }) => return Err(Error::not_found("run", "of the signal")),
            written => drop(written?),
        }
        self.parts.bells.ring(&rings);
        Ok(runs)
    }

    async fn receivers(
        &self,
        principal: &Principal,
        to: &SignalTo,
    ) -> Result<(OrganizationId, Vec<RunId>), Error> {
        match to {
            SignalTo::Run(run) => {
                let organization = self.operator(principal, *run).await?;
                if self.run(principal, *run).await?.is_ended() {
                    let reason = format!("run {run} has ended and takes no signals; start a new run");
                    return Err(Error::Conflict { reason });
                }
                Ok((organization, vec![*run]))
            }
            SignalTo::BusinessKey(key) => {
                check_key("business_key", key)?;
                let organization = self.parts.access.require(principal, Right::Operate).await?;
                let filter = RunFilter {
                    business_key: Some(key.clone()),
                    is_ended: Some(false),
                    ..RunFilter::default()
                };
                let found = self.parts.store.runs(organization, &filter, None, RUNS_MAX).await?;
                if found.rows.is_empty() {
                    return Err(Error::not_found("run that has not ended, of business key", key));
                }
                if found.next.is_some() {
                    let reason =
                        format!("more than {RUNS_MAX} runs have the business key `{key}`; name the run");
                    return Err(Error::Conflict { reason });
                }
                Ok((organization, found.rows.into_iter().map(|run| run.id).collect()))
            }
        }
    }
}
