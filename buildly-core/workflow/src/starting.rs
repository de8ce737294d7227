//! The start of a run.

use std::sync::Arc;

use buildly_journal::{Event as Fact, Part};
use buildly_model::{OrganizationId, Principal, RunId, StoreError};
use serde_json::{Value, json};

use crate::advance::{By, Loaded, STEP_ATTEMPTS_MAX};
use crate::bells::Rings;
use crate::decide::Given;
use crate::runs::{Run, check_key};
use crate::{
    Change, Compiled, Error, Input, Right, RunSummary, Start, State, Status, StoredTemplate, Workflow,
};

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

/// What comes of a start, see [`Workflow::start_part`].
#[derive(Debug, Clone)]
pub enum Starting {
    /// The idempotency key has started this run before.
    Started(Box<Run>),
    /// The run begins once the part is written.
    New(RunId, Part<Change>),
}

impl Workflow {
    /// Starts a run.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no such version is published, [`Error::Invalid`] if the input does
    /// not fit, [`Error::Conflict`] if the key started a run of another template.
    pub async fn start(&self, principal: &Principal, start: StartRun) -> Result<Run, Error> {
        let (organization, start_key) = match self.may_start(principal, &start).await? {
            May::Start(organization, start_key) => (organization, start_key),
            May::See(run) => return Ok(*run),
        };
        for attempt in 1.. {
            let (begun, template, fact) =
                self.request(principal, organization, start.clone(), start_key.clone()).await?;
            // It begins in the unit that writes it, so that nobody has to look for it.
            let given = [Given::of_person(begun.input.clone())];
            let (summary, run) = (begun.run.clone(), begun.run.id);
            let new = Loaded { summary, version: 0, events: 0, state: State::new(), template };
            let Ok(mut planned) = self.plan(new, &given, &By::Person(principal)).await? else {
                return Err(StoreError::corrupt("a run that does not begin").into());
            };
            planned.part.changes.insert(0, begun.into_stepped()?);
            planned.part.events.insert(0, fact);
            // Nobody else knows the run, so its turn is only somebody else's by chance.
            let mut turn = self.turn(run).and_then(|turn| turn.try_lock().ok());
            match (self.write(planned, turn.as_deref_mut()).await, &start_key) {
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

    /// What starts a run, to be written together with something else; it begins once that is
    /// written. Call [`Workflow::wake`] then.
    ///
    /// # Errors
    /// As [`Workflow::start`].
    pub async fn start_part(&self, principal: &Principal, start: StartRun) -> Result<Starting, Error> {
        match self.may_start(principal, &start).await? {
            May::See(run) => Ok(Starting::Started(run)),
            May::Start(organization, start_key) => {
                let (run, part) = self.requested(principal, organization, start, start_key).await?;
                Ok(Starting::New(run, part))
            }
        }
    }

    /// Checks the caller's right and the keys.
    async fn may_start(&self, principal: &Principal, start: &StartRun) -> Result<May, Error> {
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
            return Ok(May::See(Box::new(run)));
        }
        Ok(May::Start(organization, start_key))
    }

    /// Wakes who works for runs and who waits for this one, once its start is written.
    pub fn wake(&self, run: RunId) {
        self.parts.bells.ring(&Rings::of_queued(run));
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
}

/// Whether somebody may start a run.
enum May {
    /// Yes, in this organization, with this key of theirs.
    Start(OrganizationId, Option<String>),
    /// It has been started by the same key before.
    See(Box<Run>),
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
