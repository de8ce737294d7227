//! Runs: looked at, waited for, steered.

use std::sync::Arc;
use std::time::Duration;

use buildly_model::{OrganizationId, Principal, RunId};
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::advance::{By, Loaded, is_ended};
use crate::decide::Given;
use crate::workflow::parsed;
use crate::{
    ActivationId, Compiled, Error, Input, Right, Rows, RunEvent, RunFilter, RunSummary, State, StoredRun,
    Template, Workflow,
};

/// Without a ring a run is looked at this often, since another node may have moved it.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// The most bytes of a start key, business key or of a signal's name or key.
const KEY_BYTES_MAX: usize = 200;
pub(crate) const NULL_REFUSED: &str = "null characters are not allowed";

/// A run, as somebody sees it who may.
#[derive(Debug, Clone)]
pub struct Run {
    /// What lists show.
    pub summary: RunSummary,
    /// Goes up with every step.
    pub version: u64,
    /// How many events it has.
    pub events: u64,
    /// All that it is.
    pub state: State,
    /// What it runs by.
    pub template: Arc<Compiled>,
}

impl From<Loaded> for Run {
    fn from(Loaded { summary, version, events, state, template }: Loaded) -> Self {
        Self { summary, version, events, state, template }
    }
}

impl Run {
    /// Whether it takes no more input.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        is_ended(self.summary.status)
    }
}

/// How a person steers a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Control {
    /// It ends and undoes what it did.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Nothing new begins.
    Pause,
    /// It goes on.
    Resume,
    /// A level is done anew, with a new key.
    Retry {
        /// Which.
        activation: ActivationId,
        /// That nobody knows what the last attempt did is accepted.
        waive: bool,
    },
    /// A compensation that failed is given up: a person has seen to it.
    Skip {
        /// Which.
        activation: ActivationId,
    },
    /// Variables get new values.
    SetVariables {
        /// By name.
        values: Map<String, Value>,
    },
}

impl From<Control> for Input {
    fn from(control: Control) -> Self {
        match control {
            Control::Cancel { reason } => Self::Cancel { reason },
            Control::Pause => Self::Pause,
            Control::Resume => Self::Resume,
            Control::Retry { activation, waive } => Self::Retry { activation, waive },
            Control::Skip { activation } => Self::Skip { activation },
            Control::SetVariables { values } => Self::SetVariables { values },
        }
    }
}

impl Workflow {
    /// A run. Whoever has started it may look at it, too.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] if the caller may not read runs and has not
    /// started one of this id.
    pub async fn run(&self, principal: &Principal, run: RunId) -> Result<Run, Error> {
        Ok(self.loaded(self.visible(principal, run).await?).await?.into())
    }

    /// A run that the caller may see.
    pub(crate) async fn visible(&self, principal: &Principal, run: RunId) -> Result<StoredRun, Error> {
        let refused = match self.parts.access.require(principal, Right::Read).await {
            Ok(organization) => {
                let stored = self.parts.store.find_run(organization, run).await?;
                return stored.ok_or_else(|| Error::not_found("run", run));
            }
            Err(refused @ Error::Forbidden { .. }) => refused,
            Err(error) => return Err(error),
        };
        let (organization, _) = self.parts.access.doer(principal).await?;
        let stored = self.parts.store.find_run(organization, run).await?;
        // The refusal is the same for runs of others and for none, so that it tells nothing.
        stored.filter(|stored| is_starter(principal, &stored.summary)).ok_or(refused)
    }

    /// The template that a run was made of, as it was written. Whoever may see the run may.
    ///
    /// # Errors
    /// As [`Workflow::run`].
    pub async fn template_of(&self, principal: &Principal, run: RunId) -> Result<Template, Error> {
        let RunSummary { organization, template, template_version, .. } =
            self.visible(principal, run).await?.summary;
        let stored = self.find_template(organization, &template, Some(template_version)).await?;
        parsed(&stored.ok_or_else(|| Error::not_found("template", template))?)
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may read runs.
    pub async fn runs(
        &self,
        principal: &Principal,
        filter: &RunFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<RunSummary>, Error> {
        let organization = self.parts.access.require(principal, Right::Read).await?;
        if is_nobodys([&filter.template, &filter.business_key]) {
            return Ok(Rows::default());
        }
        Ok(self.parts.store.runs(organization, filter, after, rows_max).await?)
    }

    /// The run once it has ended, or as it is when the time is over.
    ///
    /// # Errors
    /// As [`Workflow::run`].
    pub async fn wait(&self, principal: &Principal, run: RunId, at_most: Duration) -> Result<Run, Error> {
        let (end, bell) = (Instant::now() + at_most, self.parts.bells.of_end(run));
        let ring = bell.notified();
        tokio::pin!(ring);
        ring.as_mut().enable();
        // A node that moves a run itself knows without asking how it is. An end is for good.
        let mut kept = self.kept(principal, run).await;
        if kept.as_ref().is_some_and(|kept| !kept.is_ended()) {
            let _ = tokio::time::timeout(at_most.min(LOOK_INTERVAL), ring).await;
            kept = self.kept(principal, run).await;
        }
        if let Some(ended) = kept.filter(Run::is_ended) {
            return Ok(ended);
        }
        let left = end.saturating_duration_since(Instant::now());
        self.until(principal, run, left, bell, Run::is_ended).await
    }

    /// The run as this node has left it, if it still has it at hand and the caller may see it.
    async fn kept(&self, principal: &Principal, run: RunId) -> Option<Run> {
        let kept = self.turn(run)?.try_lock().ok()?.as_ref().filter(|kept| kept.summary.id == run)?.clone();
        let organization = match self.parts.access.require(principal, Right::Read).await {
            Ok(organization) => organization,
            Err(_) if is_starter(principal, &kept.summary) => self.parts.access.doer(principal).await.ok()?.0,
            Err(_) => return None,
        };
        (kept.summary.organization == organization).then(|| kept.into())
    }

    /// The run once it has another version than `seen`, or as it is when the time is over.
    ///
    /// # Errors
    /// As [`Workflow::run`].
    pub async fn changed(
        &self,
        principal: &Principal,
        run: RunId,
        seen: u64,
        at_most: Duration,
    ) -> Result<Run, Error> {
        self.until(principal, run, at_most, self.parts.bells.of_move(run), |run| run.version != seen).await
    }

    async fn until(
        &self,
        principal: &Principal,
        run: RunId,
        at_most: Duration,
        bell: &Notify,
        is_enough: impl Fn(&Run) -> bool + Send + Sync,
    ) -> Result<Run, Error> {
        let end = Instant::now() + at_most;
        loop {
            let ring = bell.notified();
            tokio::pin!(ring);
            // From here on no ring is missed.
            ring.as_mut().enable();
            let now = self.run(principal, run).await?;
            let left = end.saturating_duration_since(Instant::now());
            if is_enough(&now) || left.is_zero() {
                return Ok(now);
            }
            let _ = tokio::time::timeout(left.min(LOOK_INTERVAL), ring).await;
        }
    }

    /// What happened in a run, oldest first, after the event of number `after`.
    ///
    /// # Errors
    /// As [`Workflow::run`].
    pub async fn history(
        &self,
        principal: &Principal,
        run: RunId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<RunEvent>, Error> {
        let organization = self.visible(principal, run).await?.summary.organization;
        Ok(self.parts.store.run_events(organization, run, after, rows_max).await?)
    }

    /// Steers a run: whoever has started it, and who operates runs.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::NotFound`], and [`Error::Step`] if the run does not take it
    /// as it is now.
    pub async fn control(&self, principal: &Principal, run: RunId, control: Control) -> Result<Run, Error> {
        let organization = self.operator(principal, run).await?;
        let given = [Given::of_person(control.into())];
        Ok(self.advance(organization, run, &given, By::Person(principal)).await?.into())
    }

    /// Lets those pass who may steer the run.
    pub(crate) async fn operator(&self, principal: &Principal, run: RunId) -> Result<OrganizationId, Error> {
        let stored = self.visible(principal, run).await?;
        if !is_starter(principal, &stored.summary) {
            self.parts.access.require(principal, Right::Operate).await?;
        }
        Ok(stored.summary.organization)
    }
}

fn is_starter(principal: &Principal, run: &RunSummary) -> bool {
    run.starter == principal.identity.to_string()
}

/// Refuses what cannot be a key.
pub(crate) fn check_key(field: &str, key: &str) -> Result<(), Error> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(Error::field(field, format!("expected 1 to {KEY_BYTES_MAX} bytes")));
    }
    if key.contains('\0') {
        return Err(Error::field(field, NULL_REFUSED));
    }
    Ok(())
}

/// Whether one of the texts that a list is filtered by is the name of nothing: databases do not
/// take null characters, so nothing is called so.
pub(crate) fn is_nobodys<const N: usize>(texts: [&Option<String>; N]) -> bool {
    texts.into_iter().flatten().any(|text| text.contains('\0'))
}
