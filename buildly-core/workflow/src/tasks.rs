//! People's work: the inbox, claiming, completing.

use buildly_model::{OrganizationId, Principal, RunId};
use serde_json::Value;

use crate::advance::By;
use crate::decide::Given;
use crate::{
    ActivationId, Doer, Error, Input, NodeKind, Right, Rows, Run, StoredTask, TaskFilter, TaskStatus,
    Template, Workflow,
};

/// A task with what is to be filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The task.
    pub stored: StoredTask,
    /// What people call the level.
    pub title: Option<String>,
    /// A paragraph for people.
    pub description: Option<String>,
    /// The JSON Schema of what is filled in.
    pub form: Option<Value>,
}

impl Workflow {
    /// Tasks, newest first. Who operates runs sees all; others see what they may do or have taken.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for callers without an organization.
    pub async fn tasks(
        &self,
        principal: &Principal,
        filter: &TaskFilter,
        is_mine: bool,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<StoredTask>, Error> {
        let (organization, doer) = self.parts.access.doer(principal).await?;
        let sees_all = !is_mine && self.operates(principal).await?;
        let filter = TaskFilter { doer: (!sees_all).then_some(doer), ..filter.clone() };
        Ok(self.parts.store.tasks(organization, &filter, after, rows_max).await?)
    }

    /// One task, with its form.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for those who may neither do it nor operate runs.
    pub async fn task(
        &self,
        principal: &Principal,
        run: RunId,
        activation: ActivationId,
    ) -> Result<Task, Error> {
        let (organization, stored, _) = self.doable(principal, run, activation).await?;
        let version = Some(stored.template_version);
        let template = self.find_template(organization, &stored.template, version).await?;
        let template = template.ok_or_else(|| Error::not_found("template", &stored.template))?;
        let template = crate::workflow::parsed(&template)?;
        let level = find_level(&template, &stored.level);
        Ok(Task {
            title: level.and_then(|level| level.title.clone()),
            description: level.and_then(|level| level.description.clone()),
            form: level.and_then(|level| match &level.kind {
                crate::template::Kind::Task(task) => task.form.clone(),
                _ => None,
            }),
            stored,
        })
    }

    /// Takes a task: nobody else can complete it then.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for those who may not do it, [`Error::Step`] if somebody else has it.
    pub async fn claim_task(
        &self,
        principal: &Principal,
        run: RunId,
        activation: ActivationId,
    ) -> Result<Run, Error> {
        let by = principal.identity.to_string();
        self.do_task(principal, run, activation, Input::TaskClaimed { activation, by }).await
    }

    /// Completes a task with what was filled in.
    ///
    /// # Errors
    /// [`Error::Step`] if the form does not take it, somebody else has the task, or it is done;
    /// [`Error::Forbidden`] for those who may not do it.
    pub async fn complete_task(
        &self,
        principal: &Principal,
        run: RunId,
        activation: ActivationId,
        data: Value,
    ) -> Result<Run, Error> {
        let by = principal.identity.to_string();
        self.do_task(principal, run, activation, Input::TaskCompleted { activation, by, data }).await
    }

    async fn do_task(
        &self,
        principal: &Principal,
        run: RunId,
        activation: ActivationId,
        input: Input,
    ) -> Result<Run, Error> {
        let (organization, stored, doer) = self.doable(principal, run, activation).await?;
        if !doer.may_do(&stored) && !self.designs(principal).await? {
            let whom = match (&stored.group, &stored.user) {
                (Some(group), None) => format!("members of `{group}`"),
                (None, Some(user)) => format!("`{user}`"),
                (Some(group), Some(user)) => format!("`{user}` and members of `{group}`"),
                (None, None) => "administrators".to_owned(),
            };
            return Err(Error::Forbidden { reason: format!("this task is for {whom}") });
        }
        let given = [Given::of_person(input)];
        Ok(self.advance(organization, run, &given, By::Person(principal)).await?.into())
    }

    /// A task that the caller may see.
    async fn doable(
        &self,
        principal: &Principal,
        run: RunId,
        activation: ActivationId,
    ) -> Result<(OrganizationId, StoredTask, Doer), Error> {
        let (organization, doer) = self.parts.access.doer(principal).await?;
        let found = self.parts.store.find_task(organization, run, activation).await?;
        let stored = found.ok_or_else(|| Error::not_found("task", format!("{run}:{activation}")))?;
        let has_it = stored.claimed_by.as_ref() == Some(&doer.actor);
        if !has_it && !doer.may_do(&stored) && !self.reads(principal).await? {
            return Err(Error::not_found("task", format!("{run}:{activation}")));
        }
        Ok((organization, stored, doer))
    }

    async fn may(&self, principal: &Principal, right: Right) -> Result<bool, Error> {
        match self.parts.access.require(principal, right).await {
            Ok(_) => Ok(true),
            Err(Error::Forbidden { .. } | Error::Unauthenticated) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn reads(&self, principal: &Principal) -> Result<bool, Error> {
        self.may(principal, Right::Read).await
    }

    async fn operates(&self, principal: &Principal) -> Result<bool, Error> {
        self.may(principal, Right::Operate).await
    }

    async fn designs(&self, principal: &Principal) -> Result<bool, Error> {
        self.may(principal, Right::Design).await
    }
}

impl Run {
    /// The tasks of this run that are open.
    pub fn open_tasks(&self) -> impl Iterator<Item = ActivationId> + '_ {
        self.state.activations.values().filter_map(|live| {
            let is_task = matches!(self.template.node(live.level)?.kind, NodeKind::Task { .. });
            (is_task && matches!(live.phase, crate::Phase::Task { .. })).then_some(live.id)
        })
    }
}

fn find_level<'a>(template: &'a Template, name: &str) -> Option<&'a crate::Level> {
    template.walk().find(|level| level.name == name)
}

impl StoredTask {
    /// Whether somebody still has to do it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status != TaskStatus::Closed
    }
}
