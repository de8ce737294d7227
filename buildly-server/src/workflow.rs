//! `/workflow/`: templates, runs, people's tasks, signals.

mod events;
mod picture;
mod reported;
mod run;
mod shape;
mod signal;
mod task;
mod template;

use buildly_core::workflow::Rows;
use buildly_model::Cursor;

use crate::{Problem, Request, Routes};

pub(crate) use picture::Line;
pub(crate) use run::{all_events, tree};
pub(crate) use shape::{RunBody, RunEventBody, RunSummaryBody, TemplateBody};
pub(crate) use template::template_of;

/// The operations on workflows.
pub(crate) fn routes() -> Routes {
    let routes = Routes::of(
        "workflow",
        "Processes that run through services and people: templates, runs, tasks, signals.",
    );
    let routes = template::routes(routes);
    let routes = run::routes(routes);
    reported::routes(signal::routes(task::routes(routes)))
}

/// Where a list of the storages goes on.
fn after(request: &Request) -> Result<Option<u64>, Problem> {
    request.query_value("cursor")
}

fn next<T>(rows: &Rows<T>) -> Option<Cursor> {
    rows.next.map(|place| Cursor(place.to_string()))
}
