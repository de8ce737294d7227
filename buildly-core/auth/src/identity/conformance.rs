//! The promises of identity over a storage, as a suite that any storage must pass.
//!
//! `buildly_auth::identity_conformance!(open_empty_store);` makes a test of each case. What
//! `open_empty_store().await` returns has a field `storage`, an `Arc` of the storage, and a
//! field `commits` that writes to it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a suite reports by panicking, and the name of a case is its promise"
)]

mod guessing;
mod members;
mod outside;
mod rights;
mod rows;
mod secrets;
mod tenants;
mod world;

pub use guessing::*;
pub use members::*;
pub use outside::*;
pub use rights::*;
pub use rows::*;
pub use secrets::*;
pub use tenants::*;
pub use world::{Storage, World};

/// Makes a test of each case; see [`mod@crate::identity::conformance`].
#[macro_export]
macro_rules! identity_conformance {
    ($open:path) => {
        $crate::identity_conformance!(
            @cases $open:
            a_user_is_read_back_as_written,
            numbers_are_positive_and_never_given_twice,
            names_are_unique_without_case,
            a_row_that_has_moved_on_is_not_overwritten,
            a_group_of_another_organization_cannot_be_joined,
            lists_are_in_order_and_end_where_asked,
            changes_of_different_fields_at_once_are_all_kept,
            text_without_end_or_with_null_is_refused_by_its_field,
            small_resources_are_kept,
            a_founder_administers_and_the_next_member_waits_for_approval,
            of_two_who_found_the_same_organization_one_waits,
            a_role_that_is_taken_away_counts_on_the_next_check,
            two_administrators_cannot_remove_each_other,
            the_last_admin_group_stays,
            nobody_gives_more_rights_than_their_own,
            what_new_users_join_is_for_administrators,
            a_group_is_raised_only_by_who_may_as_much_on_its_services,
            an_organization_has_no_more_groups_than_are_read,
            a_closed_deployment_lets_nobody_move_where_nobody_invited_them,
            names_stand_on_one_line,
            an_administrator_has_no_power_over_a_superuser,
            a_service_never_opens_because_its_group_went_away,
            a_followed_snapshot_is_what_a_loaded_one_is,
            a_moved_user_leaves_the_old_organization_behind,
            a_deleted_user_is_gone,
            a_stranger_sees_and_changes_nothing,
            a_read_only_member_changes_nothing,
            nobody_signed_in_is_told_so,
            an_invitation_counts_once_and_not_for_ever,
            a_password_reset_counts_once_and_not_for_ever,
            asking_for_an_unknown_address_reads_the_same,
            a_secret_that_two_use_at_once_counts_once,
            a_link_ends_with_the_address_that_it_went_to,
            a_refresh_token_of_an_older_password_is_worth_nothing,
            an_address_is_verified_once_and_until_it_changes,
            guessing_is_slowed_down,
            mail_that_anybody_asks_for_is_slowed_down_alike_for_everybody,
            a_refusal_costs_no_hash,
            strangers_who_register_keep_nobody_from_signing_in,
            a_sign_in_does_not_outlive_a_password_that_changes_meanwhile,
            an_old_hash_is_made_anew,
            an_outside_identity_is_one_user_however_often_it_signs_in,
            two_first_sign_ins_at_once_make_one_user,
            an_address_takes_over_nobodys_account,
            an_address_that_its_account_never_verified_is_not_followed,
            who_is_switched_off_signs_in_nowhere,
            a_user_without_a_password_gets_none_by_mail_or_by_hand,
            groups_follow_the_provider_but_never_beyond_the_organization,
            a_provider_never_takes_the_last_administrator_away,
            an_identity_that_cannot_be_taken_is_refused_by_its_field,
            a_deleted_user_leaves_no_outside_identity_behind,
        );
    };
    (@cases $open:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let opened = $open().await;
            let storage: std::sync::Arc<dyn $crate::identity::conformance::Storage> = opened.storage.clone();
            let commits = std::sync::Arc::new(opened.commits.clone());
            let world = $crate::identity::conformance::World::new(storage, commits).await;
            $crate::identity::conformance::$case(&world).await;
        }
    )*};
}
