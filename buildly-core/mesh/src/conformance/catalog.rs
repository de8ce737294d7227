//! Record types and relationships.

use buildly_model::StoreError;

use super::{ACME, Subject, documents, product_documents, products, record_type, relationship};
use crate::{Change, JoinRecordFilter, Relationship};

/// What was written comes back whole, in the order of writing.
pub async fn the_catalog_reads_back_oldest_first(subject: &Subject) {
    // Ids are in the other order, so that sorting by id would show.
    let (first, mut second) = (record_type(9, "b", "B", "/b/"), record_type(3, "a", "A", "/a/"));
    second.is_local = true;
    second.key_field = "core_user_uuid".to_owned();
    let mut link = relationship(7, "a_of_b", &first, &second);
    link.foreign_key = Some("a".to_owned());
    let later = relationship(5, "b_too", &first, &second);
    for change in [
        Change::RecordTypeCreated(first.clone()),
        Change::RecordTypeCreated(second.clone()),
        Change::RelationshipCreated(link.clone()),
        Change::RelationshipCreated(later.clone()),
    ] {
        subject.write(None, change).await.expect("all is new");
    }
    assert_eq!(subject.store.record_types().await.expect("reads"), [first, second]);
    assert_eq!(subject.store.relationships().await.expect("reads"), [link, later]);
}

/// An update replaces every field and leaves the order.
pub async fn what_changes_of_the_catalog_keeps_its_place(subject: &Subject) {
    subject.declare().await;
    let mut changed = record_type(1, "goods", "Good", "/good/");
    changed.key_field = "pk".to_owned();
    changed.is_local = true;
    let moved =
        Relationship { key: "files".to_owned(), foreign_key: Some("file".to_owned()), ..product_documents() };
    subject.write(None, Change::RecordTypeUpdated(changed.clone())).await.expect("it is there");
    subject.write(None, Change::RelationshipUpdated(moved.clone())).await.expect("it is there");
    assert_eq!(subject.store.record_types().await.expect("reads"), [changed, documents()]);
    assert_eq!(subject.store.relationships().await.expect("reads"), [moved]);
}

/// Unique are service and model, and service and endpoint.
pub async fn a_second_model_or_endpoint_of_a_service_is_taken(subject: &Subject) {
    subject.declare().await;
    for (case, second, field) in [
        ("model", record_type(3, "products", "Product", "/other/"), "model"),
        ("endpoint", record_type(3, "products", "Other", "/product/"), "endpoint"),
    ] {
        let refused = subject.write(None, Change::RecordTypeCreated(second)).await;
        assert!(
            matches!(refused, Err(StoreError::Taken { field: taken }) if taken == field),
            "{case}: {refused:?}"
        );
    }
    let elsewhere = record_type(3, "shop", "Product", "/product/");
    subject.write(None, Change::RecordTypeCreated(elsewhere.clone())).await.expect("another service");
    let taken = record_type(3, "products", "Product", "/new/");
    let refused = subject.write(None, Change::RecordTypeUpdated(taken)).await;
    assert!(matches!(refused, Err(StoreError::Taken { field: "model" })), "update: {refused:?}");
    assert_eq!(subject.store.record_types().await.expect("reads"), [products(), documents(), elsewhere]);
}

/// The same two types may be linked under several keys, each once.
pub async fn a_pair_of_types_has_each_key_once(subject: &Subject) {
    subject.declare().await;
    let same = relationship(11, "product_documents", &products(), &documents());
    let refused = subject.write(None, Change::RelationshipCreated(same)).await;
    assert!(matches!(refused, Err(StoreError::Taken { field: "key" })), "got {refused:?}");
    let other = relationship(11, "manuals", &products(), &documents());
    subject.write(None, Change::RelationshipCreated(other)).await.expect("another key");
}

/// A relationship joins in both directions; its reverse would join twice.
pub async fn the_reverse_of_a_relationship_is_refused(subject: &Subject) {
    subject.declare().await;
    let reverse = relationship(11, "back", &documents(), &products());
    let refused = subject.write(None, Change::RelationshipCreated(reverse)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "got {refused:?}");
    let itself = Relationship { key: "renamed".to_owned(), ..product_documents() };
    subject
        .write(None, Change::RelationshipUpdated(itself.clone()))
        .await
        .expect("it is not its own reverse");
    assert_eq!(subject.store.relationships().await.expect("reads"), [itself]);
}

/// A type that is not there cannot be linked.
pub async fn a_relationship_needs_both_its_types(subject: &Subject) {
    subject.write(None, Change::RecordTypeCreated(products())).await.expect("it is new");
    let refused = subject.write(None, Change::RelationshipCreated(product_documents())).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
}

/// Removing a type leaves nothing behind that points to it.
pub async fn a_record_type_takes_its_relationships_and_links_with_it(subject: &Subject) {
    subject.declare().await;
    subject.link(100, ACME, "1", "2").await;
    subject.write(None, Change::RecordTypeDeleted(documents().id)).await.expect("it is there");
    assert_eq!(subject.store.record_types().await.expect("reads"), [products()]);
    assert_eq!(subject.store.relationships().await.expect("reads"), []);
    let left = subject.store.join_records(ACME, &JoinRecordFilter::default(), None, 10).await;
    assert_eq!(left.expect("reads").records, []);
}

/// Changing or removing what is not there is refused.
pub async fn what_is_not_there_cannot_be_changed(subject: &Subject) {
    subject.declare().await;
    let (record_type, link) =
        (record_type(8, "x", "X", "/x/"), relationship(8, "x", &products(), &documents()));
    for (case, change) in [
        ("update a type", Change::RecordTypeUpdated(record_type.clone())),
        ("delete a type", Change::RecordTypeDeleted(record_type.id)),
        ("update a relationship", Change::RelationshipUpdated(link.clone())),
        ("delete a relationship", Change::RelationshipDeleted(link.id)),
    ] {
        let refused = subject.write(None, change).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{case}: {refused:?}");
    }
}
