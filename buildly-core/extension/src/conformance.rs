//! The promises of a store of extensions, as a suite that any storage must pass.
//!
//! `buildly_extension::store_conformance!(open_empty_store);` makes a test of each case. What
//! `open_empty_store().await` returns has the fields `storage` (an `Arc` of the store) and
//! `commits` (a [`Commit`] for the changes of extensions, that can be cloned).
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a suite reports by panicking")]

mod lanes;
mod webhooks;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

pub use buildly_journal::Commit;
use buildly_journal::{Event, LeaseId, Nodes, Part};
use buildly_model::{EventId, Identity, OrganizationId, StoreError, Timestamp, WebhookId};
use uuid::Uuid;

use crate::webhook::{State, TRANSPORT, Webhook};
use crate::{Change, Lane, LaneKey, Lanes, Store};

pub use lanes::*;
pub use webhooks::*;

/// What a case works on: an empty store.
pub struct Subject {
    /// Reads and takes.
    pub store: Arc<dyn Store>,
    /// Keeps the leases of nodes.
    pub nodes: Arc<dyn Nodes>,
    /// Writes.
    pub commits: Arc<dyn Commit<Change>>,
}

const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0xacae));
const GLOBEX: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0x610b));
const NOW: Timestamp = Timestamp::EPOCH;
const LEASE: Duration = Duration::from_secs(600);

impl Subject {
    async fn write(&self, organization: OrganizationId, change: Change) -> Result<(), StoreError> {
        self.commits.commit(Part::of_all(Some(organization), vec![change], Vec::new())).await.map(drop)
    }

    async fn create(&self, organization: OrganizationId, webhook: &Webhook) {
        let change = Change::WebhookCreated { webhook: Box::new(webhook.clone()), after_sequence: 0 };
        self.write(organization, change).await.expect("the id is new");
    }

    /// Adds an event to a chain.
    async fn happens(&self, organization: Option<OrganizationId>) {
        let event = Event {
            id: EventId::from_uuid(Uuid::now_v7()),
            kind: Cow::Borrowed("test.thing.done"),
            subject: "thing".to_owned(),
            actor: Identity::Anonymous,
            at: NOW,
            payload: serde_json::Value::Null,
        };
        self.commits
            .commit(Part::of_all(organization, Vec::new(), vec![event]))
            .await
            .expect("it is written");
    }

    async fn node(&self) -> LeaseId {
        let lease = LeaseId(Uuid::now_v7());
        self.nodes.begin_lease(lease).await.expect("a lease begins");
        lease
    }

    async fn take(&self, key: &LaneKey, lanes: Lanes, owner: LeaseId, now: Timestamp) -> Lane {
        let taken = self.store.take_lane(key, lanes, owner, LEASE, now).await;
        taken.expect("the store answers").expect("there is such a lane")
    }
}

fn webhook(number: u128) -> Webhook {
    Webhook {
        id: WebhookId::from_uuid(Uuid::from_u128(number)),
        url: format!("https://example.org/hooks/{number}?key=ä"),
        description: "tells the \"warehouse\"".to_owned(),
        kinds: vec!["auth.user".to_owned(), "mesh".to_owned()],
        state: State::Active,
        created_at: Timestamp::from_microseconds(1_700_000_000_123_456),
    }
}

fn lane_of(organization: OrganizationId, webhook: &Webhook) -> LaneKey {
    LaneKey {
        transport: TRANSPORT.to_owned(),
        organization: Some(organization),
        lane: webhook.id.to_string(),
    }
}

/// Makes a test of each case; see [`mod@crate::conformance`].
#[macro_export]
macro_rules! store_conformance {
    ($open:path) => {
        $crate::store_conformance!(
            @cases $open:
            a_webhook_reads_back_as_it_was_written,
            webhooks_come_oldest_first,
            no_webhook_of_another_organization_is_read_or_changed,
            a_webhook_that_is_not_there_cannot_be_changed,
            deliveries_read_back_newest_first_in_pages,
            only_the_newest_deliveries_are_kept,
            a_lane_is_held_by_one_until_it_is_moved,
            a_lane_is_free_when_its_holder_is_gone,
            a_node_without_a_lease_takes_no_lane,
            a_lane_with_nothing_to_do_is_not_taken,
            what_is_wrong_is_kept_and_ends_with_a_change,
            a_lane_of_one_each_is_made_when_it_is_taken,
            lanes_that_are_behind_are_found_in_pages,
        );
    };
    (@cases $open:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let opened = $open().await;
            let subject = $crate::conformance::Subject {
                store: opened.storage.clone(),
                nodes: opened.storage.clone(),
                commits: std::sync::Arc::new(opened.commits.clone()),
            };
            $crate::conformance::$case(&subject).await;
        }
    )*};
}
