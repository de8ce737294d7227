//! Join records.

use buildly_model::StoreError;

use super::{ACME, GLOBEX, Subject, documents, link, product_documents, products};
use crate::{Change, JoinRecord, JoinRecordFilter, Key, Side};

const DOCUMENT: &str = "d0000000-0000-4000-8000-000000000001";

async fn all(subject: &Subject, organization: buildly_model::OrganizationId) -> Vec<JoinRecord> {
    let page = subject.store.join_records(organization, &JoinRecordFilter::default(), None, 100).await;
    page.expect("reads").records
}

async fn found(subject: &Subject, side: Side, keys: &[&str]) -> Vec<(String, String)> {
    let keys: Vec<Key> = keys.iter().map(|key| Key::of_text(key)).collect();
    let links = subject.store.links(ACME, product_documents().id, side, &keys, 100).await;
    links.expect("reads").iter().map(|one| (one.origin.to_string(), one.related.to_string())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(origin, related)| ((*origin).to_owned(), (*related).to_owned())).collect()
}

/// Numbers, UUIDs and texts come back as the same keys.
pub async fn every_kind_of_key_reads_back(subject: &Subject) {
    subject.declare().await;
    for (number, key) in [(100, "-9223372036854775808"), (101, DOCUMENT), (102, "007"), (103, "straße/'%_\"")]
    {
        let record = link(number, ACME, key, "1");
        let written = subject.write(Some(ACME), Change::JoinRecordCreated(record.clone())).await;
        written.expect("the pair is new");
        let read = subject.store.find_join_record(ACME, record.id).await.expect("reads");
        assert_eq!(read, Some(record), "{key}");
        assert_eq!(found(subject, Side::Origin, &[key]).await, pairs(&[(key, "1")]), "{key}");
    }
}

/// Batches of keys, forwards and backwards; other relationships and keys stay out.
pub async fn links_are_found_from_both_ends(subject: &Subject) {
    subject.declare().await;
    for (number, origin, related) in
        [(100, "1", DOCUMENT), (101, "1", "2"), (102, "12", "2"), (103, "21", "21")]
    {
        subject.link(number, ACME, origin, related).await;
    }
    for (case, side, keys, expected) in [
        ("forwards", Side::Origin, vec!["1", "21"], vec![("1", DOCUMENT), ("1", "2"), ("21", "21")]),
        ("backwards", Side::Related, vec!["2", DOCUMENT], vec![("1", DOCUMENT), ("1", "2"), ("12", "2")]),
        ("no such key", Side::Origin, vec!["2"], vec![]),
        ("no keys", Side::Origin, vec![], vec![]),
    ] {
        assert_eq!(found(subject, side, &keys).await, pairs(&expected), "{case}");
    }
}

/// The order is that of writing, and the limit holds.
pub async fn links_come_oldest_first_and_no_more_than_asked(subject: &Subject) {
    subject.declare().await;
    for (number, related) in [(109, "9"), (108, "8"), (107, "7")] {
        subject.link(number, ACME, "1", related).await;
    }
    assert_eq!(found(subject, Side::Origin, &["1"]).await, pairs(&[("1", "9"), ("1", "8"), ("1", "7")]));
    let two = subject.store.links(ACME, product_documents().id, Side::Origin, &[Key::Integer(1)], 2).await;
    assert_eq!(two.expect("reads").len(), 2);
}

/// A second link of one pair is refused; another organization has its own.
pub async fn a_pair_is_linked_once_in_an_organization(subject: &Subject) {
    subject.declare().await;
    subject.link(100, ACME, "1", "2").await;
    let again = subject.write(Some(ACME), Change::JoinRecordCreated(link(101, ACME, "1", "2"))).await;
    assert!(matches!(again, Err(StoreError::Taken { field: "records" })), "got {again:?}");
    subject.link(102, GLOBEX, "1", "2").await;
    subject.link(103, ACME, "1", "3").await;
    let moved = subject.write(Some(ACME), Change::JoinRecordUpdated(link(103, ACME, "1", "2"))).await;
    assert!(matches!(moved, Err(StoreError::Taken { field: "records" })), "got {moved:?}");
}

/// Whoever knows an id of another organization gets nothing by it.
pub async fn nothing_of_another_organization_is_read_or_changed(subject: &Subject) {
    subject.declare().await;
    subject.link(100, GLOBEX, "1", "2").await;
    let theirs = link(100, GLOBEX, "1", "2");
    assert_eq!(subject.store.find_join_record(ACME, theirs.id).await.expect("reads"), None);
    assert_eq!(all(subject, ACME).await, []);
    assert_eq!(found(subject, Side::Origin, &["1"]).await, []);
    for (case, change) in [
        ("update", Change::JoinRecordUpdated(link(100, ACME, "9", "9"))),
        ("update that names its owner", Change::JoinRecordUpdated(link(100, GLOBEX, "9", "9"))),
        ("delete", Change::JoinRecordDeleted(theirs.id)),
    ] {
        let refused = subject.write(Some(ACME), change).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "{case}: {refused:?}");
    }
    let unlinked = Change::RecordUnlinked { record_type: products().id, key: Key::Integer(1) };
    subject.write(Some(ACME), unlinked).await.expect("there is nothing of one's own to remove");
    assert_eq!(all(subject, GLOBEX).await, [theirs]);
}

/// The deployment itself has no links.
pub async fn a_link_without_an_organization_is_refused(subject: &Subject) {
    subject.declare().await;
    let refused = subject.write(None, Change::JoinRecordCreated(link(100, ACME, "1", "2"))).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
}

/// Page by page everything comes once, in order; the last page says that it is the last.
pub async fn join_records_page_to_their_end(subject: &Subject) {
    subject.declare().await;
    for number in 100..105 {
        subject.link(number, ACME, "1", &number.to_string()).await;
    }
    let (mut read, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = subject.store.join_records(ACME, &JoinRecordFilter::default(), after, 2).await;
        let page = page.expect("reads");
        pages += 1;
        read.extend(page.records);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, read), (3, all(subject, ACME).await));
}

/// All conditions must hold; an empty list of keys fits nothing.
pub async fn join_records_are_found_by_each_condition(subject: &Subject) {
    subject.declare().await;
    for (number, origin, related) in [(100, "1", DOCUMENT), (101, "1", "2"), (102, "2", DOCUMENT)] {
        subject.link(number, ACME, origin, related).await;
    }
    let keys = |texts: &[&str]| Some(texts.iter().map(|text| Key::of_text(text)).collect::<Vec<_>>());
    let relationship = Some(product_documents().id);
    let other = Some(buildly_model::RelationshipId::from_uuid(uuid::Uuid::nil()));
    for (case, relationship, origins, related, expected) in [
        ("nothing said", None, None, None, 3),
        ("relationship", relationship, None, None, 3),
        ("another relationship", other, None, None, 0),
        ("origin", None, keys(&["1"]), None, 2),
        ("several origins", None, keys(&["1", "2", "3"]), None, 3),
        ("related", None, None, keys(&[DOCUMENT]), 2),
        ("both ends", relationship, keys(&["1"]), keys(&[DOCUMENT]), 1),
        ("no key at all", None, keys(&[]), None, 0),
    ] {
        let filter = JoinRecordFilter { relationship, origins, related };
        let page = subject.store.join_records(ACME, &filter, None, 10).await.expect("reads");
        assert_eq!(page.records.len(), expected, "{case}");
    }
}

/// Only that record's links go, at whichever end it stands: not those of keys that contain its key.
pub async fn unlinking_a_record_is_exact(subject: &Subject) {
    subject.declare().await;
    for (number, origin, related) in [(100, "1", "12"), (101, "12", "1"), (102, "21", "1"), (103, "1", "1")] {
        subject.link(number, ACME, origin, related).await;
    }
    subject.link(104, GLOBEX, "1", "1").await;
    let left = |links: Vec<JoinRecord>| {
        links.iter().map(|one| (one.origin.to_string(), one.related.to_string())).collect::<Vec<_>>()
    };
    let product = Change::RecordUnlinked { record_type: products().id, key: Key::Integer(1) };
    subject.write(Some(ACME), product).await.expect("writes");
    assert_eq!(left(all(subject, ACME).await), pairs(&[("12", "1"), ("21", "1")]));
    let document = Change::RecordUnlinked { record_type: documents().id, key: Key::Integer(1) };
    subject.write(Some(ACME), document).await.expect("writes");
    assert_eq!(left(all(subject, ACME).await), []);
    assert_eq!(all(subject, GLOBEX).await.len(), 1);
}
