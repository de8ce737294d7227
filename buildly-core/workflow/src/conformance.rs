//! The promises of workflow's store, as a suite that any storage must pass.
//!
//! `buildly_workflow::store_conformance!(open_empty_store);` makes a test of each case. What
//! `open_empty_store().await` returns has the fields `storage` (an `Arc` of the store, which also
//! keeps the leases of nodes) and `commits` (a [`Commit`] for workflow's changes, that can be cloned).
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a suite reports by panicking, and the name of a case is its promise"
)]

mod effects;
mod inputs;
mod levels;
mod lists;
mod runs;
mod steps;
mod tasks;
mod templates;
mod tenants;
mod world;

pub use buildly_journal::Commit;

pub use effects::*;
pub use inputs::*;
pub use levels::*;
pub use lists::*;
pub use runs::*;
pub use steps::*;
pub use tasks::*;
pub use templates::*;
pub use tenants::*;
pub use world::{ACME, LONG, NODE, OTHER_NODE, Subject};

/// Makes a test of each case; see [`mod@crate::conformance`].
#[macro_export]
macro_rules! store_conformance {
    ($open:path) => {
        $crate::store_conformance!(
            @cases $open:
            a_template_reads_back_as_it_was_saved,
            only_a_draft_is_replaced_or_deleted,
            a_template_moves_on_from_the_state_it_was_seen_in,
            the_newest_and_the_newest_published_version_are_found,
            a_run_reads_back_as_it_was_started,
            a_start_key_starts_one_run,
            of_many_who_start_with_one_key_one_wins,
            a_step_is_written_whole,
            a_stale_step_writes_nothing,
            of_many_steps_of_one_version_one_wins,
            a_step_without_its_input_writes_nothing,
            what_is_used_up_counts_before_what_is_stale,
            a_refused_change_takes_the_step_beside_it_back,
            events_are_numbered_through_all_steps,
            a_history_is_read_in_parts,
            an_input_waits_once_under_its_key,
            inputs_wait_in_the_order_they_came,
            an_input_needs_its_run,
            timers_come_due_in_order_and_bounded,
            a_timer_that_was_set_anew_is_another,
            effects_are_handed_out_oldest_first_with_their_bytes,
            what_a_step_writes_as_taken_is_the_nodes,
            a_run_may_begin_in_the_unit_that_writes_it,
            nobody_takes_what_another_holds,
            an_old_epoch_writes_nothing,
            what_is_given_back_is_taken_again,
            leases_end_with_their_time,
            leases_end_with_their_node,
            a_node_without_a_lease_takes_nothing,
            a_flood_of_one_organization_leaves_others_their_turns,
            everyone_has_a_turn_though_few_are_taken_at_a_time,
            a_task_is_opened_claimed_and_closed,
            a_task_is_found_by_each_condition,
            a_task_is_theirs_who_may_do_it,
            runs_are_found_by_each_condition,
            templates_are_found_by_each_condition,
            pages_are_complete_while_rows_are_added,
            nothing_of_another_organization_is_read_or_changed,
            the_deployment_has_no_runs,
            levels_read_back_as_they_were_written,
            a_level_is_replaced_and_removed_at_its_version_only,
            with_a_level1_goes_what_belongs_to_it,
            what_is_removed_is_named_by_nothing,
            a_short_name_stands_once_in_an_organization,
            types_and_statuses_of_all_may_be_used_by_each,
            a_list_shows_what_groups_let_see,
            levels_are_found_by_each_condition,
            pages_of_levels_are_complete_and_ordered_alike,
            the_levels_of_a_group_are_found,
            no_level_of_another_organization_is_changed,
        );
    };
    (@cases $open:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let opened = $open().await;
            let subject = $crate::conformance::Subject {
                store: opened.storage.clone(),
                work: opened.storage.clone(),
                levels: opened.storage.clone(),
                nodes: opened.storage.clone(),
                commits: std::sync::Arc::new(opened.commits.clone()),
            };
            $crate::conformance::$case(&subject).await;
        }
    )*};
}
