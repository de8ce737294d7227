//! Reading templates, runs and tasks.

use async_trait::async_trait;
use buildly_model::{OrganizationId, RunId, StoreError};
use buildly_workflow::{
    ActivationId, Doer, Rows, RunEvent, RunFilter, RunSummary, Status, Store, StoredRun, StoredTask,
    StoredTemplate, TaskFilter, TaskStatus, TemplateFilter, TemplateStatus,
};
use rusqlite::types::Value;

use super::list::List;
use super::row::to_json;
use super::{run, task, template};
use crate::Sqlite;

#[async_trait]
impl Store for Sqlite {
    async fn find_template(
        &self,
        organization: OrganizationId,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredTemplate>, StoreError> {
        let (organization, name) = (organization.to_string(), name.to_owned());
        let status = if version.is_none() { Some(TemplateStatus::Published) } else { None };
        self.engine.read(move |tx| template::find(tx, &organization, &name, version, status)).await
    }

    async fn newest_template(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<StoredTemplate>, StoreError> {
        let (organization, name) = (organization.to_string(), name.to_owned());
        self.engine.read(move |tx| template::find(tx, &organization, &name, None, None)).await
    }

    async fn templates(
        &self,
        organization: OrganizationId,
        filter: &TemplateFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<StoredTemplate>, StoreError> {
        let list = List::of(&organization.to_string(), template::COLUMNS, "workflow_template")
            .and("name = ?", filter.name.clone())
            .and("status = ?", filter.status.map(|status| status.name().to_owned()));
        self.engine.read(move |tx| list.read(tx, after, rows_max, 8, template::read)).await
    }

    async fn published_versions(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(String, u32)>, StoreError> {
        let organization = organization.to_string();
        self.engine.read(move |tx| template::published_versions(tx, &organization)).await
    }

    async fn find_run(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Option<StoredRun>, StoreError> {
        let organization = organization.to_string();
        self.engine.read(move |tx| run::find(tx, &organization, run)).await
    }

    async fn find_started(
        &self,
        organization: OrganizationId,
        start_key: &str,
    ) -> Result<Option<StoredRun>, StoreError> {
        let (organization, start_key) = (organization.to_string(), start_key.to_owned());
        self.engine.read(move |tx| run::find_started(tx, &organization, &start_key)).await
    }

    async fn runs(
        &self,
        organization: OrganizationId,
        filter: &RunFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<RunSummary>, StoreError> {
        let list = List::of(&organization.to_string(), run::COLUMNS, "workflow_run")
            .and("template = ?", filter.template.clone())
            .and("status = ?", filter.status.map(|status: Status| status.name().to_owned()))
            .and("(ended_at IS NOT NULL) = ?", filter.is_ended)
            .and("business_key = ?", filter.business_key.clone())
            .and("parent_id = ?", filter.parent.map(|parent| parent.to_string()));
        self.engine.read(move |tx| list.read(tx, after, rows_max, 12, run::summary)).await
    }

    async fn run_events(
        &self,
        organization: OrganizationId,
        run: RunId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<RunEvent>, StoreError> {
        let organization = organization.to_string();
        self.engine.read(move |tx| run::events(tx, &organization, run, after, rows_max)).await
    }

    async fn find_task(
        &self,
        organization: OrganizationId,
        run: RunId,
        activation: ActivationId,
    ) -> Result<Option<StoredTask>, StoreError> {
        let organization = organization.to_string();
        self.engine.read(move |tx| task::find(tx, &organization, run, activation)).await
    }

    async fn tasks(
        &self,
        organization: OrganizationId,
        filter: &TaskFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<StoredTask>, StoreError> {
        let mut list = List::of(&organization.to_string(), task::COLUMNS, "workflow_task")
            .and("run_id = ?", filter.run.map(|run| run.to_string()))
            .and("status = ?", filter.status.map(|status: TaskStatus| status.name().to_owned()));
        if let Some(Doer { actor, names, groups }) = &filter.doer {
            list = list.and("(claimed_by IS NULL OR claimed_by = ?)", Some(actor.clone())).and_all(
                "(user_name IN (SELECT value FROM json_each(?))
                      OR group_name IN (SELECT value FROM json_each(?)))",
                [Value::from(to_json(names)?), Value::from(to_json(groups)?)],
            );
        }
        self.engine.read(move |tx| list.read(tx, after, rows_max, 13, task::read)).await
    }
}
