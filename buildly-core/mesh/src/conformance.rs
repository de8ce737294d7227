//! The promises of a mesh's store, as a suite that any storage must pass.
//!
//! `buildly_mesh::store_conformance!(open_empty_store);` makes a test of each case. What
//! `open_empty_store().await` returns has the fields `storage` (an `Arc` of the store) and
//! `commits` (a [`Commit`] for the mesh's changes, that can be cloned).
#![expect(clippy::expect_used, reason = "a suite reports by panicking")]

mod catalog;
mod links;

use std::sync::Arc;

pub use buildly_journal::Commit;
use buildly_journal::Part;
use buildly_model::{JoinRecordId, OrganizationId, RecordTypeId, RelationshipId, StoreError};
use uuid::Uuid;

use crate::{Change, JoinRecord, Key, RecordType, Relationship, Store};

pub use catalog::*;
pub use links::*;

/// What a case works on: an empty store.
pub struct Subject {
    /// Reads.
    pub store: Arc<dyn Store>,
    /// Writes.
    pub commits: Arc<dyn Commit<Change>>,
}

impl Subject {
    async fn write(&self, organization: Option<OrganizationId>, change: Change) -> Result<(), StoreError> {
        self.commits.commit(Part::of_all(organization, vec![change], Vec::new())).await.map(drop)
    }

    /// Two services with a record type each, and a relationship from products to documents.
    async fn declare(&self) {
        for change in [
            Change::RecordTypeCreated(products()),
            Change::RecordTypeCreated(documents()),
            Change::RelationshipCreated(product_documents()),
        ] {
            self.write(None, change).await.expect("the catalog is empty");
        }
    }

    async fn link(&self, number: u128, organization: OrganizationId, origin: &str, related: &str) {
        let record = link(number, organization, origin, related);
        let written = self.write(Some(organization), Change::JoinRecordCreated(record)).await;
        written.expect("the pair is new");
    }
}

const ACME: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0xacae));
const GLOBEX: OrganizationId = OrganizationId::from_uuid(Uuid::from_u128(0x610b));

fn products() -> RecordType {
    record_type(1, "products", "Product", "/product/")
}

fn documents() -> RecordType {
    record_type(2, "documents", "Document", "/document/")
}

fn record_type(number: u128, service: &str, model: &str, endpoint: &str) -> RecordType {
    RecordType {
        id: RecordTypeId::from_uuid(Uuid::from_u128(number)),
        service: service.to_owned(),
        model: model.to_owned(),
        endpoint: endpoint.to_owned(),
        key_field: "id".to_owned(),
        is_local: false,
    }
}

fn product_documents() -> Relationship {
    relationship(10, "product_documents", &products(), &documents())
}

fn relationship(number: u128, key: &str, origin: &RecordType, related: &RecordType) -> Relationship {
    Relationship {
        id: RelationshipId::from_uuid(Uuid::from_u128(number)),
        key: key.to_owned(),
        origin: origin.id,
        related: related.id,
        foreign_key: None,
    }
}

fn link(number: u128, organization: OrganizationId, origin: &str, related: &str) -> JoinRecord {
    JoinRecord {
        id: JoinRecordId::from_uuid(Uuid::from_u128(number)),
        organization,
        relationship: product_documents().id,
        origin: Key::of_text(origin),
        related: Key::of_text(related),
    }
}

/// Makes a test of each case; see [`mod@crate::conformance`].
#[macro_export]
macro_rules! store_conformance {
    ($open:path) => {
        $crate::store_conformance!(
            @cases $open:
            the_catalog_reads_back_oldest_first,
            what_changes_of_the_catalog_keeps_its_place,
            a_second_model_or_endpoint_of_a_service_is_taken,
            a_pair_of_types_has_each_key_once,
            the_reverse_of_a_relationship_is_refused,
            a_relationship_needs_both_its_types,
            a_record_type_takes_its_relationships_and_links_with_it,
            what_is_not_there_cannot_be_changed,
            every_kind_of_key_reads_back,
            links_are_found_from_both_ends,
            links_come_oldest_first_and_no_more_than_asked,
            a_pair_is_linked_once_in_an_organization,
            nothing_of_another_organization_is_read_or_changed,
            a_link_without_an_organization_is_refused,
            join_records_page_to_their_end,
            join_records_are_found_by_each_condition,
            unlinking_a_record_is_exact,
        );
    };
    (@cases $open:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let opened = $open().await;
            let subject = $crate::conformance::Subject {
                store: opened.storage.clone(),
                commits: std::sync::Arc::new(opened.commits.clone()),
            };
            $crate::conformance::$case(&subject).await;
        }
    )*};
}
