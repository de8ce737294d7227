//! The start of a run.

use buildly_journal::Part;
use buildly_model::{OrganizationId, Principal, RunId, StoreError};
use serde_json::{Value, json};

use crate::runs::{Run, check_key};
use crate::{Change, Error, Input, Right, RunSummary, Start, State, Status, StoredTemplate, Workflow};

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
        let (key, template) = (start.idempotency_key.clone(), start.template.clone());
        let (organization, starting) = self.plan_start(principal, start).await?;
        let (run, part) = match starting {
            Starting::Started(run) => return Ok(*run),
            Starting::New(run, part) => (run, part),
        };
        match (self.parts.commits.commit(part).await, key) {
            (Err(StoreError::Taken { .. }), Some(key)) => {
                let run = self.started(organization, &start_key(principal, &key), &template).await?;
                return run.ok_or_else(|| StoreError::Stale.into());
            }
            (written, _) => drop(written?),
        }
        self.wake(run);
        Ok(self.load(organization, run).await?.into())
    }

    /// What [`Workflow::start`] writes, to be written together with something else. Call
    /// [`Workflow::wake`] once it is.
    ///
    /// # Errors
    /// As [`Workflow::start`].
    pub async fn start_part(&self, principal: &Principal, start: StartRun) -> Result<Starting, Error> {
        Ok(self.plan_start(principal, start).await?.1)
    }

    async fn plan_start(
        &self,
        principal: &Principal,
        start: StartRun,
    ) -> Result<(OrganizationId, Starting), Error> {
        let organization = self.parts.access.require(principal, Right::Start).await?;
        for (field, key) in
            [("business_key", &start.business_key), ("idempotency_key", &start.idempotency_key)]
        {
            key.as_deref().map_or(Ok(()), |key| check_key(field, key))?;
        }
        let start_key = start.idempotency_key.as_ref().map(|key| start_key(principal, key));
        if let Some(key) = &start_key
            && let Some(run) = self.started(organization, key, &start.template).await?
        {
            return Ok((organization, Starting::Started(Box::new(run))));
        }
        let (run, part) = self.requested(principal, organization, start, start_key).await?;
        Ok((organization, Starting::New(run, part)))
    }

    /// Wakes who works for runs and who waits for this one, once its start is written.
    pub fn wake(&self, run: RunId) {
        self.parts.bells.ring(Some(run));
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
        let run = begun.run.id;
        let payload = json!({"template": stored.name, "version": stored.version});
        let fact = self.fact("workflow.run.requested", run, payload, principal);
        Ok((run, Part::of(Some(organization), begun.into_change()?, fact)))
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

/// Of one caller: the keys of others are nobody's business.
fn start_key(principal: &Principal, key: &str) -> String {
    format!("{}:{key}", principal.identity)
}

/// A run that has not begun.
pub(crate) struct Begun {
    pub(crate) run: RunSummary,
    pub(crate) start_key: Option<String>,
    input: Input,
}

impl Begun {
    pub(crate) fn into_change(self) -> Result<Change, Error> {
        let state = serde_json::to_string(&State::new())
            .map_err(|error| StoreError::corrupt(format!("a new state cannot be written: {error}")))?;
        Ok(Change::RunStarted { run: self.run, start_key: self.start_key, state, input: self.input })
    }
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
