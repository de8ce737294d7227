//! What the workflow area reads from a storage, and how a node takes work.

use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::LeaseId;
use buildly_model::{OrganizationId, RunId, StoreError, Timestamp};

use crate::{
    ActivationId, DueTimer, EffectId, Leased, Rows, RunEvent, RunFilter, RunSummary, StoredRun, StoredTask,
    StoredTemplate, TaskFilter, TemplateFilter, Waiting,
};

/// Reads for people and for steps. Lists are newest first, at most `rows_max` rows after the
/// place `after`.
#[async_trait]
pub trait Store: Send + Sync {
    /// One version of a template; without one the newest that is published.
    async fn find_template(
        &self,
        organization: OrganizationId,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredTemplate>, StoreError>;

    /// The newest version of a template, whatever its state.
    async fn newest_template(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<StoredTemplate>, StoreError>;

    /// Versions of templates.
    async fn templates(
        &self,
        organization: OrganizationId,
        filter: &TemplateFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<StoredTemplate>, StoreError>;

    /// All templates of which a version is published, with the newest that is.
    async fn published_versions(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<(String, u32)>, StoreError>;

    /// A run with its state.
    async fn find_run(
        &self,
        organization: OrganizationId,
        run: RunId,
    ) -> Result<Option<StoredRun>, StoreError>;

    /// The run that a start key started.
    async fn find_started(
        &self,
        organization: OrganizationId,
        start_key: &str,
    ) -> Result<Option<StoredRun>, StoreError>;

    /// Runs, without their states.
    async fn runs(
        &self,
        organization: OrganizationId,
        filter: &RunFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<RunSummary>, StoreError>;

    /// Events of a run with numbers above `after`, oldest first.
    async fn run_events(
        &self,
        organization: OrganizationId,
        run: RunId,
        after: u64,
        rows_max: u32,
    ) -> Result<Vec<RunEvent>, StoreError>;

    /// One task.
    async fn find_task(
        &self,
        organization: OrganizationId,
        run: RunId,
        activation: ActivationId,
    ) -> Result<Option<StoredTask>, StoreError>;

    /// Tasks.
    async fn tasks(
        &self,
        organization: OrganizationId,
        filter: &TaskFilter,
        after: Option<u64>,
        rows_max: u32,
    ) -> Result<Rows<StoredTask>, StoreError>;
}

/// The work of all organizations, for the nodes that perform it.
///
/// Taking writes without a unit: who holds a lease is no fact that anybody need know later, and
/// nothing is decided by it. What counts is that an answer is committed with its epoch.
#[async_trait]
pub trait Work: Send + Sync {
    /// Takes effects that nobody holds a lease of, for `lease` by the storage's own clock, in
    /// one short transaction: round robin over the organizations with ready work, oldest first
    /// in each. Each take gives a row the next epoch. A lease also ends when its owner holds no
    /// node lease any more ([`buildly_journal::Nodes`]).
    async fn take_effects(
        &self,
        owner: LeaseId,
        effects_max: usize,
        lease: Duration,
    ) -> Result<Vec<Leased>, StoreError>;

    /// Ends a lease, if the row still has this epoch.
    async fn give_back_effect(&self, effect: EffectId, epoch: u64) -> Result<(), StoreError>;

    /// Inputs that wait, oldest first, at most `rows_max` after the place `after`; of one run in
    /// the order they came.
    async fn waiting_inputs(&self, after: Option<u64>, rows_max: u32) -> Result<Rows<Waiting>, StoreError>;

    /// Timers that are due at `now`, earliest first, at most `rows_max` after those of one run
    /// that are due at one moment.
    async fn due_timers(
        &self,
        now: Timestamp,
        after: Option<(Timestamp, RunId)>,
        rows_max: u32,
    ) -> Result<Vec<DueTimer>, StoreError>;

    /// When the earliest timer is due.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;
}
