//! `/workflowlevel1/` and the others: what Buildly Core 1.2.0 called workflows.

mod input;
pub(in crate::compat) mod level1;
pub(in crate::compat) mod level2;
mod level_status;
mod level_type;
mod numbers;
mod sort;
mod team;
mod window;

use crate::Routes;

/// The operations on levels, their types and statuses, orders and teams.
pub(crate) fn routes() -> Vec<Routes> {
    vec![
        level1::routes(),
        level2::routes(),
        level_type::routes(),
        level_status::routes(),
        sort::routes(),
        team::routes(),
    ]
}
