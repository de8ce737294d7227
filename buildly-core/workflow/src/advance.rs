//! Steps, committed: read a run, decide what its inputs come to, write it as one unit.

use std::sync::Arc;

use buildly_journal::Part;
use buildly_model::{Identity, OrganizationId, Principal, RunId, StoreError};
use serde_json::json;

use crate::decide::{Given, RunCommand, child_ended, child_key, decide, kind_of};
use crate::starting::start_changes;
use crate::{
    Change, Compiled, End, Error, Fault, FaultKind, Input, RunSummary, State, Status, StepError, StoredRun,
    Workflow,
};

/// Machines and people meet at one run: so often a step is decided again.
const STEP_ATTEMPTS_MAX: u32 = 10;

/// A run as it is now, with what it runs by.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) stored: StoredRun,
    pub(crate) state: State,
    pub(crate) template: Arc<Compiled>,
}

/// Who brings inputs.
pub(crate) enum By<'a> {
    Person(&'a Principal),
    /// The journal then names who started the run.
    Machine,
}

impl Workflow {
    pub(crate) async fn load(&self, organization: OrganizationId, run: RunId) -> Result<Loaded, Error> {
        let stored = self.parts.store.find_run(organization, run).await?;
        self.loaded(stored.ok_or_else(|| Error::not_found("run", run))?).await
    }

    pub(crate) async fn loaded(&self, stored: StoredRun) -> Result<Loaded, Error> {
        let RunSummary { id: run, organization, .. } = stored.summary;
        let summary = &stored.summary;
        let template = self.compiled(organization, &summary.template, summary.template_version).await?;
        let state: State = serde_json::from_str(&stored.state).map_err(|error| StepError::Corrupt {
            reason: format!("run {run} cannot be read by this release: {error}"),
        })?;
        Ok(Loaded { stored, state, template })
    }

    /// Takes inputs into a run, all in one unit; how the run is then.
    ///
    /// # Errors
    /// [`Error::Step`] if the run refuses a person's input. [`StoreError::Missing`] if a row that
    /// an input was read from is not there any more: somebody else has taken it.
    pub(crate) async fn advance(
        &self,
        organization: OrganizationId,
        run: RunId,
        given: &[Given],
        by: By<'_>,
    ) -> Result<Loaded, Error> {
        let _turn = match self.turn(run) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        for attempt in 1.. {
            let loaded = self.load(organization, run).await?;
            match self.advance_once(loaded, given, &by).await {
                Err(Error::Store(StoreError::Stale | StoreError::Taken { .. }))
                    if attempt < STEP_ATTEMPTS_MAX => {}
                done => return done,
            }
        }
        Err(StoreError::Stale.into())
    }

    async fn advance_once(&self, loaded: Loaded, given: &[Given], by: &By<'_>) -> Result<Loaded, Error> {
        let Loaded { stored, state, template } = loaded;
        let StoredRun { summary, version, events, .. } = stored;
        let (organization, run, before) = (summary.organization, summary.id, summary.status);
        let now = self.parts.clock.now();
        let mut random = [0; 8];
        self.parts.random.fill(&mut random);
        let moment = (now, u64::from_le_bytes(random));
        let decided = decide(&template, run, version, state, given.to_vec(), moment)?;
        let mut stepped = decided.stepped;
        if stepped.events.is_empty() && stepped.used.is_empty() {
            let state_text = stepped.state;
            let stored = StoredRun { summary, version, events, state: state_text };
            return Ok(Loaded { stored, state: decided.state, template });
        }
        let mut changes = Vec::new();
        if decided.more {
            let (key, input) = ("continue".to_owned(), Input::Continue);
            changes.push(Change::InputQueued { run, key, at: now, input });
        }
        let caused = decided.state.caused;
        self.other_runs((&summary, caused), decided.runs, &mut changes).await?;
        if let (Some(end), Some((parent, activation))) = (&decided.state.end, summary.parent)
            && before != stepped.status
        {
            changes.push(child_ended(parent, activation, now, end.clone()));
        }
        let machine;
        let principal = match by {
            By::Person(principal) => *principal,
            By::Machine => {
                let identity = summary.starter.parse().unwrap_or(Identity::Anonymous);
                machine = Principal { identity, organization: Some(organization), ..Principal::ANONYMOUS };
                &machine
            }
        };
        let first = events.saturating_add(1);
        let (begun, mut facts) = self.heard(&summary, caused, (first, &stepped.events), principal).await?;
        for begun in begun {
            changes.push(begun.into_change()?);
        }
        let inputs: Vec<&str> = given.iter().map(|given| given.input.name()).collect();
        let last = events.saturating_add(u64::try_from(stepped.events.len()).unwrap_or(0));
        let payload = json!({
            "template": summary.template, "status": stepped.status, "inputs": inputs,
            "first_event": first, "last_event": last,
        });
        facts.push(self.fact(kind_of(&stepped, before), run, payload, principal));
        let mut after = summary;
        after.status = stepped.status;
        after.updated_at = now;
        after.ended_at = after.ended_at.or_else(|| stepped.is_ended.then_some(now));
        let state_text = std::mem::take(&mut stepped.state);
        stepped.state.clone_from(&state_text);
        changes.insert(0, Change::RunStepped(Box::new(stepped)));
        self.parts.commits.commit(Part::of_all(Some(organization), changes, facts)).await?;
        self.parts.bells.ring(Some(run));
        let stored =
            StoredRun { summary: after, version: version.saturating_add(1), events: last, state: state_text };
        Ok(Loaded { stored, state: decided.state, template })
    }

    /// What a step wants of other runs: started in the same unit, cancelled by their inboxes.
    async fn other_runs(
        &self,
        (parent, caused): (&RunSummary, u16),
        commands: Vec<RunCommand>,
        changes: &mut Vec<Change>,
    ) -> Result<(), Error> {
        let (organization, now) = (parent.organization, self.parts.clock.now());
        let mut started = Vec::new();
        for command in commands {
            match command {
                RunCommand::Start { activation, key, template, input } => {
                    match self.child((parent, caused), activation, &template, input).await? {
                        Ok(mut begun) => {
                            begun.start_key = Some(child_key(&key));
                            started.push((activation, begun.run.id));
                            changes.push(begun.into_change()?);
                        }
                        Err(fault) => {
                            changes.push(child_ended(parent.id, activation, now, End::Failed { fault }));
                        }
                    }
                }
                RunCommand::Cancel { activation, key } => {
                    let here = started.iter().find(|(of, _)| *of == activation).map(|(_, run)| *run);
                    let run = match here {
                        Some(run) => Some(run),
                        None => {
                            let found = self.parts.store.find_started(organization, &child_key(&key)).await?;
                            found.map(|found| found.summary.id)
                        }
                    };
                    if let Some(run) = run {
                        let reason = format!("the level of run {} that started it was cancelled", parent.id);
                        let (key, input) = ("cancel".to_owned(), Input::Cancel { reason });
                        changes.push(Change::InputQueued { run, key, at: now, input });
                    }
                }
            }
        }
        Ok(())
    }

    /// The run that a level starts, or why there can be none.
    async fn child(
        &self,
        (parent, caused): (&RunSummary, u16),
        activation: crate::ActivationId,
        name: &str,
        input: serde_json::Value,
    ) -> Result<Result<crate::starting::Begun, Fault>, Error> {
        let organization = parent.organization;
        let Some(stored) = self.find_template(organization, name, None).await? else {
            let message = format!("no version of `{name}` is published; publish one, then retry the level");
            return Ok(Err(Fault::new(FaultKind::SubRun, message)));
        };
        let template = self.compiled(organization, name, stored.version).await?;
        if let Some(schema) = &template.input
            && let Err(fields) = schema.check(&input, "input")
        {
            let message = Error::Invalid(fields).to_string();
            return Ok(Err(Fault::new(FaultKind::SubRun, message)));
        }
        let version = (organization, name, stored.version);
        let mut begun = start_changes(self, version, input, &parent.starter, caused);
        begun.run.parent = Some((parent.id, activation));
        Ok(Ok(begun))
    }
}

/// Whether the run has ended as the state says.
pub(crate) const fn is_ended(status: Status) -> bool {
    matches!(status, Status::Completed | Status::Failed | Status::Compensated | Status::Cancelled)
}
