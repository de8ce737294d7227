//! Runs: started, looked at, waited for, steered.

use std::sync::Arc;
use std::time::Duration;

use buildly_journal::{Event as Fact, Part};
use buildly_model::{OrganizationId, Principal, RunId, StoreError};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::advance::{By, Loaded, STEP_ATTEMPTS_MAX, is_ended};
use crate::decide::Given;
use crate::workflow::parsed;
use crate::{
    ActivationId, Change, Compiled, Error, Input, Right, Rows, RunEvent, RunFilter, RunSummary, Start, State,
    Status, StoredRun, StoredTemplate, Template, Workflow,
};

/// Without a ring a run is looked at this often, since another node may have moved it.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// The most bytes of a start key, business key or of a signal's name or key.
const KEY_BYTES_MAX: usize = 200;
pub(crate) const NULL_REFUSED: &str = "null characters are not allowed";

/// What a run is started with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StartRun {
    /// The template's name.
    pub template: String,
    /// The version; the newest that is published if none is named.
    pub version: Option<u32>,
    /// What it is given; checked against the template's schema.
    pub input: Value,
    /// What people call it by, such as an order's number; signals can name it.
    pub business_key: Option<String>,
    /// Two starts with the same key are one: the second gives the run of the first.
    pub idempotency_key: Option<String>,
}

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
    /// Starts a run.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no such version is published, [`Error::Invalid`] if the input does
    /// not fit, [`Error::Conflict`] if the key started a run of another template.
    pub async fn start(&self, principal: &Principal, start: StartRun) -> Result<Run, Error> {
        let organization = self.parts.access.require(principal, Right::Start).await?;
        for (field, key) in
            [("business_key", &start.business_key), ("idempotency_key", &start.idempotency_key)]
        {
            key.as_deref().map_or(Ok(()), |key| check_key(field, key))?;
        }
        // Of one caller: the keys of others are nobody's business.
        let start_key = start.idempotency_key.as_ref().map(|key| format!("{}:{key}", principal.identity));
        if let Some(key) = &start_key
            && let Some(run) = self.started(organization, key, &start.template).await?
        {
            return Ok(run);
        }
        for attempt in 1.. {
            let (begun, template, fact) =
                self.request(principal, organization, start.clone(), start_key.clone()).await?;
            // It begins in the unit that writes it, so that nobody has to look for it.
            let given = [Given::of_person(begun.input.clone())];
            let summary = begun.run.clone();
            let new = Loaded { summary, version: 0, events: 0, state: State::new(), template };
            let Ok(mut planned) = self.plan(new, &given, &By::Person(principal)).await? else {
                return Err(StoreError::corrupt("a run that does not begin").into());
            };
            planned.part.changes.insert(0, begun.into_stepped()?);
            planned.part.events.insert(0, fact);
            match (self.write(planned).await, &start_key) {
                (Ok(begun), _) => return Ok(begun.into()),
                (Err(StoreError::Taken { field: "key" }), Some(key)) => {
                    let run = self.started(organization, key, &start.template).await?;
                    return run.ok_or_else(|| StoreError::Stale.into());
                }
                (Err(StoreError::Taken { .. }), _) if attempt < STEP_ATTEMPTS_MAX => {}
                (Err(error), _) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// What starts a run once it is written, if the input fits.
    ///
    /// # Errors
    /// As [`Workflow::start`].
    pub(crate) async fn requested(
        &self,
        principal: &Principal,
        organization: OrganizationId,
        start: StartRun,
        start_key: Option<String>,
    ) -> Result<(RunId, Part<Change>), Error> {
        let (begun, _, fact) = self.request(principal, organization, start, start_key).await?;
        Ok((begun.run.id, Part::of(Some(organization), begun.into_change()?, fact)))
    }

    /// The run to begin, what it runs by, and the fact that somebody wants it.
    async fn request(
        &self,
        principal: &Principal,
        organization: OrganizationId,
        start: StartRun,
        start_key: Option<String>,
    ) -> Result<(Begun, Arc<Compiled>, Fact), Error> {
        let stored = self.find_template(organization, &start.template, start.version).await?;
        let is_published = |stored: &StoredTemplate| stored.status == crate::TemplateStatus::Published;
        let stored = stored
            .filter(is_published)
            .ok_or_else(|| Error::not_found("published template", &start.template))?;
        let template = self.compiled(organization, &stored.name, stored.version).await?;
        if let Some(schema) = &template.input {
            schema.check(&start.input, "input").map_err(Error::Invalid)?;
        }
        let version = (organization, stored.name.as_str(), stored.version);
        let mut begun = start_changes(self, version, start.input, &principal.identity.to_string(), 0);
        (begun.run.business_key, begun.start_key) = (start.business_key, start_key);
        let payload = json!({"template": stored.name, "version": stored.version});
        let fact = self.fact("workflow.run.requested", begun.run.id, payload, principal);
        Ok((begun, template, fact))
    }

    async fn started(
        &self,
        organization: OrganizationId,
        key: &str,
        template: &str,
    ) -> Result<Option<Run>, Error> {
        let Some(found) = self.parts.store.find_started(organization, key).await? else { return Ok(None) };
        if found.summary.template != template {
            let other = found.summary.template;
            return Err(Error::Conflict {
                reason: format!("this idempotency key has started a run of `{other}`; use another key"),
            });
        }
        Ok(Some(self.load(organization, found.summary.id).await?.into()))
    }

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
        stored.filter(|stored| is_starter(principal, stored)).ok_or(refused)
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
        self.until(principal, run, at_most, self.parts.bells.of_end(run), Run::is_ended).await
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
        if !is_starter(principal, &stored) {
            self.parts.access.require(principal, Right::Operate).await?;
        }
        Ok(stored.summary.organization)
    }
}

fn is_starter(principal: &Principal, run: &StoredRun) -> bool {
    run.summary.starter == principal.identity.to_string()
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

/// A run that has not begun.
pub(crate) struct Begun {
    pub(crate) run: RunSummary,
    pub(crate) start_key: Option<String>,
    input: Input,
}

impl Begun {
    /// It begins when somebody takes the input from its inbox.
    pub(crate) fn into_change(self) -> Result<Change, Error> {
        let input = Some(self.input);
        Ok(Change::RunStarted { run: self.run, start_key: self.start_key, state: new_state()?, input })
    }

    /// Its first step is written in the same unit.
    fn into_stepped(self) -> Result<Change, Error> {
        Ok(Change::RunStarted { run: self.run, start_key: self.start_key, state: new_state()?, input: None })
    }
}

fn new_state() -> Result<String, StoreError> {
    serde_json::to_string(&State::new())
        .map_err(|error| StoreError::corrupt(format!("a new state cannot be written: {error}")))
}

pub(crate) fn start_changes(
    workflow: &Workflow,
    (organization, template, template_version): (OrganizationId, &str, u32),
    input: Value,
    starter: &str,
    caused: u16,
) -> Begun {
    let now = workflow.parts.clock.now();
    let id = RunId::generate(now, &*workflow.parts.random);
    let run = RunSummary {
        id,
        organization,
        template: template.to_owned(),
        template_version,
        status: Status::New,
        business_key: None,
        starter: starter.to_owned(),
        parent: None,
        created_at: now,
        updated_at: now,
        ended_at: None,
    };
    let input = Input::Started(Start { run: id, input, starter: starter.to_owned(), caused });
    Begun { run, start_key: None, input }
}
