//! The SQL of workflow: templates, runs and their history, the work that is still to be done.

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

use std::time::Duration;

use buildly_model::{OrganizationId, StoreError};
use buildly_workflow::Change;
use rusqlite::Connection;

pub(crate) use take::Takes;

/// Applies one change inside the unit's transaction; `now` is the time by which leases end.
pub(crate) fn apply(
    tx: &Connection,
    organization: Option<OrganizationId>,
    change: &Change,
    now: Duration,
) -> Result<(), StoreError> {
    // That of the part, never that of a row in it: nothing crosses an organization.
    let owner = || organization.map(|id| id.to_string()).ok_or(StoreError::Missing { what: "organization" });
    match change {
        Change::TemplateSaved(template) => template::save(tx, &owner()?, template),
        Change::TemplateMoved { template, from } => template::change_status(tx, &owner()?, template, *from),
        Change::DraftDeleted { name, version } => template::delete_draft(tx, &owner()?, name, *version),
        Change::RunStarted { run, start_key, state, input } => {
            let organization = owner()?;
            run::start(tx, &organization, run, start_key.as_deref(), state)?;
            input.as_ref().map_or(Ok(()), |input| {
                inbox::queue(tx, &organization, run.id, run::START, run.created_at, input)
            })
        }
        Change::RunStepped(stepped) => step::write(tx, &owner()?, stepped, now),
        Change::InputQueued { run, key, at, input } => inbox::queue(tx, &owner()?, *run, key, *at, input),
        Change::Level(change) => levels::apply(tx, organization, change),
    }
}
