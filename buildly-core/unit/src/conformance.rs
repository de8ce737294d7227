//! The promises of a storage's journal and committer, as a suite that any storage must pass.
//!
//! `buildly_unit::storage_conformance!(open_empty_store);` makes a test of each case. What
//! `open_empty_store().await` returns has a field `storage`, an `Arc` of the storage, and
//! removes what it made when it is dropped.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a suite reports by panicking")]

mod committing;
pub mod crash;
mod following;
mod leases;
mod reading;
mod sample;

use std::sync::Arc;

use async_trait::async_trait;
use buildly_journal::{Commit, Part};
use buildly_model::{Revision, StoreError};

use crate::{Change, Committer, Unit};

pub use committing::*;
pub use following::*;
pub use leases::*;
pub use reading::*;
pub use sample::{event, organization};

/// The areas' port over a bare storage: it waits for no snapshot. For the areas' suites.
#[derive(Clone)]
pub struct Commits(pub Arc<dyn Committer>);

#[async_trait]
impl<C: Into<Change> + Send + 'static> Commit<C> for Commits {
    async fn commit_all(&self, parts: Vec<Part<C>>) -> Result<Revision, StoreError> {
        let parts = parts.into_iter().map(|part| part.map(Into::into)).collect();
        self.0.commit(Unit { parts }).await
    }
}

/// Makes a test of each case; see [`mod@crate::conformance`].
#[macro_export]
macro_rules! storage_conformance {
    ($open:path) => {
        $crate::storage_conformance!(
            @cases $open:
            events_of_a_unit_are_chained_in_order,
            a_stale_expectation_writes_nothing_of_the_unit,
            a_refused_change_leaves_no_trace_of_its_unit,
            a_refused_unit_does_not_disturb_those_beside_it,
            the_expected_end_of_a_chain_is_accepted,
            a_unit_without_events_has_the_revision_of_the_end,
            the_nil_organization_is_not_the_deployment,
            of_many_who_expect_the_same_one_wins,
            chains_verify_after_concurrent_writers,
            the_feed_skips_nothing_under_concurrent_writers,
            a_page_of_the_feed_says_where_it_ends,
            following_from_the_end_reads_what_comes_after,
            a_commit_wakes_the_follower,
            heads_page_through_every_chain,
            events_are_read_back_as_they_were_linked,
            events_are_found_by_each_condition,
            found_events_page_backwards,
            nobody_reads_another_chain,
            a_node_that_lags_is_seen_until_it_has_caught_up,
            a_lease_that_was_ended_is_not_renewed,
        );
    };
    (@cases $open:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let opened = $open().await;
            let storage: std::sync::Arc<dyn $crate::Storage> = opened.storage.clone();
            $crate::conformance::$case(&storage).await;
        }
    )*};
}
