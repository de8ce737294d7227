//! The SQL of workflow: templates, runs and their history, the work that is still to be done.

mod effect;
mod inbox;
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
use rusqlite::Connection;

pub(crate) use take::Takes;

/// Applies one change inside the unit's transaction.
pub(crate) fn apply(
    tx: &Connection,
    organization: Option<OrganizationId>,
    change: &Change,
) -> Result<(), StoreError> {
    // That of the part, never that of a row in it: nothing crosses an organization.
    let organization = organization.ok_or(StoreError::Missing { what: "organization" })?.to_string();
    match change {
        Change::TemplateSaved(template) => template::save(tx, &organization, template),
        Change::TemplateMoved { template, from } => {
            template::change_status(tx, &organization, template, *from)
        }
        Change::DraftDeleted { name, version } => template::delete_draft(tx, &organization, name, *version),
        Change::RunStarted { run, start_key, state, input } => {
            run::start(tx, &organization, run, start_key.as_deref(), state)?;
            inbox::queue(tx, &organization, run.id, run::START, run.created_at, input)
        }
        Change::RunStepped(stepped) => step::write(tx, &organization, stepped),
        Change::InputQueued { run, key, at, input } => inbox::queue(tx, &organization, *run, key, *at, input),
    }
}
