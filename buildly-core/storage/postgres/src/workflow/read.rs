//! Reading templates, runs and tasks.

use async_trait::async_trait;
use buildly_model::{OrganizationId, RunId, StoreError};
use buildly_workflow::{
    ActivationId, Rows, RunEvent, RunFilter, RunSummary, Store, StoredRun, StoredTask, StoredTemplate,
    TaskFilter, TemplateFilter, TemplateStatus,
};
use sqlx::postgres::PgRow;

use super::list::List;
use super::row::{Statement, signed};
use super::{run, task, template};
use crate::Postgres;
use crate::engine::{ask, store_error};

#[async_trait]
impl Store for Postgres {
    async fn find_template(
        &self,
        organization: OrganizationId,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredTemplate>, StoreError> {
        let status = if version.is_none() { Some(TemplateStatus::Published) } else { None };
        let find = sqlx::query(template::FIND)
            .bind(organization.as_uuid())
            .bind(name)
            .bind(version.map(i64::from))
            .bind(status.map(TemplateStatus::name));
        self.find(find, template::read).await
    }

    async fn newest_template(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<StoredTemplate>, StoreError> {
        let find = sqlx::query(template::FIND)
            .bind(organization.as_uuid())
            .bind(name)
            .bind(None::<i64>)
            .bind(None::<&str>);
        self.find(find, template::read).await
    }

    async fn templates(
        &self,
        organization: OrganizationId,
        filter: &TemplateFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<StoredTemplate>, StoreError> {
        let list = List::of(organization, template::COLUMNS, "workflow_template")
            .and("name = ", filter.name.clone())
            .and("status = ", filter.status.map(|status| status.name()));
        list.read(self.engine.pool(), after, rows_max, template::read).await
    }

    async fn published_versions(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(String, u32)>, StoreError> {
        let published = sqlx::query(template::PUBLISHED).bind(organization.as_uuid());
        let rows = ask(published.fetch_all(self.engine.pool())).await?;
        rows.iter().map(template::name_and_version).collect::<Result<_, _>>().map_err(store_error)
    }

    async fn find_run(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Option<StoredRun>, StoreError> {
        let find = sqlx::query(run::FIND).bind(organization.as_uuid()).bind(run.as_uuid());
        self.find(find, run::stored).await
    }

    async fn find_started(
        &self,
        organization: OrganizationId,
        start_key: &str,
    ) -> Result<Option<StoredRun>, StoreError> {
        let find = sqlx::query(run::FIND_STARTED).bind(organization.as_uuid()).bind(start_key);
        self.find(find, run::stored).await
    }

    async fn runs(
        &self,
        organization: OrganizationId,
        filter: &RunFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<RunSummary>, StoreError> {
        let list = List::of(organization, run::COLUMNS, "workflow_run")
            .and("template = ", filter.template.clone())
            .and("status = ", filter.status.map(|status| status.name()))
            .and("(ended_at IS NOT NULL) = ", filter.is_ended)
            .and("business_key = ", filter.business_key.clone())
            .and("parent_id = ", filter.parent.map(|parent| parent.as_uuid()));
        list.read(self.engine.pool(), after, rows_max, run::summary).await
    }

    async fn run_events(
        &self,
        organization: OrganizationId,
        run: RunId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<RunEvent>, StoreError> {
        let rows_left = |events: &[RunEvent]| (rows_max as usize).saturating_sub(events.len());
        let (mut events, mut after) = (Vec::new(), after);
        // Most steps have several events, so that few rows are enough; a step can have thousands.
        while rows_left(&events) > 0 {
            let steps_max = signed(rows_left(&events).min(STEPS_MAX) as u64);
            let steps = sqlx::query(run::EVENTS)
                .bind(organization.as_uuid())
                .bind(run.as_uuid())
                .bind(signed(after))
                .bind(steps_max);
            let rows = ask(steps.fetch_all(self.engine.pool())).await?;
            for row in &rows {
                let (numbers, at) = run::of_step(row).map_err(store_error)?;
                let left = rows_left(&events);
                let fresh = numbers.into_iter().filter(|(number, _)| *number > after).take(left);
                events.extend(fresh.map(|(number, event)| RunEvent { number, at, event }));
            }
            if signed(rows.len() as u64) < steps_max {
                break;
            }
            after = events.last().map_or(after, |event| event.number);
        }
        Ok(events)
    }

    async fn find_task(
        &self,
        organization: OrganizationId,
        run: RunId,
        activation: ActivationId,
    ) -> Result<Option<StoredTask>, StoreError> {
        let find = sqlx::query(task::FIND)
            .bind(organization.as_uuid())
            .bind(run.as_uuid())
            .bind(signed(activation.0));
        self.find(find, task::read).await
    }

    async fn tasks(
        &self,
        organization: OrganizationId,
        filter: &TaskFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<StoredTask>, StoreError> {
        let mut list = List::of(organization, task::COLUMNS, "workflow_task")
            .and("run_id = ", filter.run.map(|run| run.as_uuid()))
            .and("status = ", filter.status.map(|status| status.name()));
        if let Some(doer) = &filter.doer {
            list = list.with(|query| task::may_do(query, doer));
        }
        list.read(self.engine.pool(), after, rows_max, task::read).await
    }
}

/// How many steps of a history are read at once.
const STEPS_MAX: usize = 20;

impl Postgres {
    async fn find<T>(
        &self,
        statement: Statement<'_>,
        read: impl Fn(&PgRow) -> sqlx::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let found = ask(statement.fetch_optional(self.engine.pool())).await?;
        found.as_ref().map(read).transpose().map_err(store_error)
    }
}
