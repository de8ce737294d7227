//! Steps, committed: read a run, decide what its inputs come to, write it as one unit.

use std::sync::Arc;

use buildly_journal::Part;
use buildly_model::{Identity, OrganizationId, Principal, RunId, StoreError};
use serde_json::json;

use crate::bells::Rings;
use crate::decide::{Given, RunCommand, child_ended, child_key, decide, kind_of};
use crate::handover::Reserved;
use crate::starting::start_changes;
use crate::{
    Change, Compiled, EffectId, End, Error, Fault, FaultKind, Input, Leased, Parts, RunSummary, State,
    Status, StepError, Stepped, StoredRun, Workflow,
};

/// Machines and people meet at one run: so often a step is decided again.
pub(crate) const STEP_ATTEMPTS_MAX: u32 = 10;
/// A larger state is read again for each step.
const KEPT_BYTES_MAX: usize = 8 * 1024;

/// A run as it is now, with what it runs by.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) summary: RunSummary,
    pub(crate) version: u64,
    pub(crate) events: u64,
    pub(crate) state: State,
    pub(crate) template: Arc<Compiled>,
}

/// Who brings inputs.
pub(crate) enum By<'a> {
    Person(&'a Principal),
    /// The journal then names who started the run.
    Machine,
}

/// A step that is decided and not yet written.
pub(crate) struct Planned {
    pub(crate) part: Part<Change>,
    /// How the run is then.
    after: Loaded,
    /// Whether its state is small enough to be kept until the next step.
    is_small: bool,
    /// Room for its effects at this node's worker, and what it is given.
    handed: Option<(Reserved, Vec<Leased>)>,
}

impl Workflow {
    pub(crate) async fn load(&self, organization: OrganizationId, run: RunId) -> Result<Loaded, Error> {
        let stored = self.parts.store.find_run(organization, run).await?;
        self.loaded(stored.ok_or_else(|| Error::not_found("run", run))?).await
    }

    pub(crate) async fn loaded(&self, stored: StoredRun) -> Result<Loaded, Error> {
        let StoredRun { summary, version, events, state } = stored;
        let RunSummary { id: run, organization, .. } = summary;
        let template = self.compiled(organization, &summary.template, summary.template_version).await?;
        let state: State = serde_json::from_str(&state).map_err(|error| StepError::Corrupt {
            reason: format!("run {run} cannot be read by this release: {error}"),
        })?;
        Ok(Loaded { summary, version, events, state, template })
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
        let mut turn = match self.turn(run) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        let mut turn = turn.as_deref_mut();
        for attempt in 1.. {
            let kept = turn.as_mut().and_then(|turn| turn.take());
            // What a person is refused must not rest on a state that has passed.
            let kept = kept.filter(|kept| {
                matches!(by, By::Machine)
                    && kept.summary.id == run
                    && kept.summary.organization == organization
            });
            let loaded = match kept {
                Some(kept) => kept,
                None => self.load(organization, run).await?,
            };
            let planned = match self.plan(loaded, given, &by).await? {
                Ok(planned) => planned,
                Err(unmoved) => return Ok(unmoved),
            };
            match self.write(planned, turn.as_deref_mut()).await {
                Ok(after) => return Ok(after),
                Err(StoreError::Stale | StoreError::Taken { .. }) if attempt < STEP_ATTEMPTS_MAX => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// What the inputs come to; the run as it was if nothing follows from them.
    pub(crate) async fn plan(
        &self,
        loaded: Loaded,
        given: &[Given],
        by: &By<'_>,
    ) -> Result<Result<Planned, Loaded>, Error> {
        let Loaded { summary, version, events, state, template } = loaded;
        let (organization, run, before) = (summary.organization, summary.id, summary.status);
        let now = self.parts.clock.now();
        let mut random = [0; 8];
        self.parts.random.fill(&mut random);
        let moment = (now, u64::from_le_bytes(random));
        let decided = decide(&template, run, version, state, given.to_vec(), moment)?;
        let mut stepped = decided.stepped;
        if stepped.events.is_empty() && stepped.used.is_empty() {
            return Ok(Err(Loaded { summary, version, events, state: decided.state, template }));
        }
        let handed = self.handed(organization, &mut stepped);
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
        let is_small = stepped.state.len() <= KEPT_BYTES_MAX;
        changes.insert(0, Change::RunStepped(Box::new(stepped)));
        let part = Part::of_all(Some(organization), changes, facts);
        let version = version.saturating_add(1);
        let after = Loaded { summary: after, version, events: last, state: decided.state, template };
        Ok(Ok(Planned { part, after, is_small, handed }))
    }

    /// Has the step's effects written as taken by this node, if its worker has room for them.
    fn handed(&self, organization: OrganizationId, stepped: &mut Stepped) -> Option<(Reserved, Vec<Leased>)> {
        let reserved = self.handover.reserve(stepped.effects.len())?;
        let held = reserved.held();
        stepped.held = Some(held);
        let leased = (stepped.first_effect.0..).zip(&stepped.effects).map(|(number, effect)| Leased {
            id: EffectId(number),
            organization,
            run: stepped.run,
            effect: effect.clone(),
            epoch: 1,
            lease_left: held.lease,
        });
        Some((reserved, leased.collect()))
    }

    /// Writes a step in the run's turn, then wakes who is concerned; how the run is then.
    pub(crate) async fn write(
        &self,
        planned: Planned,
        turn: Option<&mut Option<Loaded>>,
    ) -> Result<Loaded, StoreError> {
        let Planned { part, after, is_small, handed } = planned;
        let rings = Rings::of(&part.changes);
        match handed {
            None => drop(self.parts.commits.commit(part).await?),
            Some((reserved, leased)) => {
                let parts = Arc::clone(&self.parts);
                // On its own, so that a caller who goes away takes nothing with it: what is
                // written as taken must reach the worker.
                let written = tokio::spawn(async move { hand_over(&parts, part, reserved, leased).await });
                written
                    .await
                    .map_err(|error| StoreError::corrupt(format!("a step broke off: {error}")))??;
            }
        }
        // Before the bell: whoever is woken finds the run as it is now.
        if let Some(turn) = turn {
            *turn = is_small.then(|| after.clone());
        }
        self.parts.bells.ring(&rings);
        Ok(after)
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

/// Writes a step whose effects this node holds, and gives them to its worker.
async fn hand_over(
    parts: &Parts,
    part: Part<Change>,
    reserved: Reserved,
    leased: Vec<Leased>,
) -> Result<(), StoreError> {
    let left = match parts.commits.commit(part).await {
        Ok(_) => match reserved.give(leased) {
            Ok(()) => return Ok(()),
            Err(leased) => (leased, Ok(())),
        },
        // Nothing is written.
        Err(error @ (StoreError::Stale | StoreError::Missing { .. } | StoreError::Taken { .. })) => {
            return Err(error);
        }
        // Perhaps it is written; but what is not known to be is not sent.
        Err(error) => (leased, Err(error)),
    };
    let (leased, written) = left;
    for Leased { id, epoch, .. } in leased {
        if let Err(error) = parts.work.give_back_effect(id, epoch).await {
            tracing::warn!(%error, "an effect could not be given back; its lease ends by itself");
        }
    }
    written
}

/// Whether the run has ended as the state says.
pub(crate) const fn is_ended(status: Status) -> bool {
    matches!(status, Status::Completed | Status::Failed | Status::Compensated | Status::Cancelled)
}
