//! The SQL of workflow: templates, runs and their history, the work that is still to be done.

pub(crate) mod at_once;
mod effect;
mod inbox;
mod levels;
mod list;
mod read;
mod row;
mod run;
mod step;
mod take;
mod task;
mod template;
mod timer;

use buildly_model::{OrganizationId, StoreError};
use buildly_workflow::Change;
use sqlx::PgConnection;

pub(crate) use take::Turn;

/// Applies one change inside the unit's transaction.
pub(crate) async fn apply(
    tx: &mut PgConnection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    // That of the part, never that of a row in it: nothing crosses an organization.
    let owner = || organization.map(|id| id.as_uuid()).ok_or(StoreError::Missing { what: "organization" });
    match change {
        Change::TemplateSaved(template) => template::save(tx, owner()?, template).await,
        Change::TemplateMoved { template, from } => {
            template::change_status(tx, owner()?, template, *from).await
        }
        Change::DraftDeleted { name, version } => template::delete_draft(tx, owner()?, name, *version).await,
        Change::RunStarted { run, start_key, state, input } => {
            run::start(tx, owner()?, run, start_key.as_deref(), state).await?;
            match input {
                Some(input) => inbox::queue(tx, owner()?, run.id, run::START, run.created_at, input).await,
                None => Ok(()),
            }
        }
        Change::RunStepped(stepped) => step::write(tx, owner()?, stepped).await,
        Change::InputQueued { run, key, at, input } => {
            inbox::queue(tx, owner()?, *run, key, *at, input).await
        }
        Change::Level(change) => levels::apply(tx, organization, change).await,
    }
}
