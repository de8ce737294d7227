//! The promises of a gateway store, as a suite that any storage must pass.
//!
//! `buildly_gateway::store_conformance!(open_empty_store);` makes a test of each case. What
//! `open_empty_store().await` returns has the fields `storage` (an `Arc` of the store) and
//! `commits` (a `Commit<Change>`), and removes what it made when it is dropped.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a suite reports by panicking")]

use buildly_journal::{Commit, Event, Part};
use buildly_model::system::System;
use buildly_model::{Clock as _, Principal, StoreError, Timestamp};

use crate::{
    Change, Credential, InstanceSpec, InstanceState, RateLimit, RateLimits, Registration, Service,
    Specification, SpecificationMark, Store, Version,
};

/// Makes a test of each case; see [`mod@crate::conformance`].
#[macro_export]
macro_rules! store_conformance {
    ($open:path) => {
        $crate::store_conformance!(
            @cases $open:
            a_registered_service_is_read_back_as_it_was_written,
            numbers_are_given_in_order_and_never_again,
            a_name_is_taken_once,
            an_update_replaces_all_but_number_and_documents,
            an_update_of_another_version_is_stale_and_writes_nothing,
            an_update_of_nothing_is_missing,
            a_deleted_service_takes_its_documents_along,
            a_document_replaces_the_one_of_its_version_only,
            a_document_without_a_service_is_missing,
            limits_are_absent_until_they_are_set,
        );
    };
    (@cases $open:path: $($case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let opened = $open().await;
            $crate::conformance::$case(&*opened.storage, &opened.commits).await;
        }
    )*};
}

type Commits<'a> = &'a dyn Commit<Change>;

async fn commit(commits: Commits<'_>, change: Change) -> Result<(), StoreError> {
    let event = Event::new("gateway.test.happened", "test", (), &Principal::ANONYMOUS, &System, &System);
    commits.commit(Part::of(None, change, event)).await.map(drop)
}

fn service(name: &str) -> Service {
    let registration = Registration {
        name: Some(name.to_owned()),
        title: Some(format!("The service {name} – «ä»")),
        description: Some("what it is for".to_owned()),
        endpoint: Some(format!("http://{name}.example:8001/base/")),
        docs_endpoint: Some("api".to_owned()),
        version: Version::parse("v2"),
        credential: Some(Credential::Own { secret: "env:BUILDLY_SECRET_KEY".to_owned() }),
        ..Registration::default()
    };
    registration.decide(System.now(), &System).expect("a sound registration")
}

async fn register(commits: Commits<'_>, name: &str) -> Service {
    let service = service(name);
    let change = Change::ServiceRegistered(Box::new(service.clone()));
    commit(commits, change).await.expect("a free name");
    service
}

async fn found(store: &dyn Store, service: &Service) -> Option<Service> {
    store.find_service(service.id).await.expect("the store answers")
}

fn document(version: Option<&str>, text: &str, second: i64) -> Box<Specification> {
    Box::new(Specification {
        version: version.and_then(Version::parse),
        text: text.to_owned(),
        fetched_at: Timestamp::from_seconds(second),
    })
}

async fn store_document(commits: Commits<'_>, service: &Service, specification: Box<Specification>) {
    let change = Change::SpecificationStored { service: service.id, specification };
    commit(commits, change).await.expect("the service is there");
}

/// Every field comes back; an id that nobody has is nobody's.
pub async fn a_registered_service_is_read_back_as_it_was_written(store: &dyn Store, commits: Commits<'_>) {
    let mut crm = service("crm");
    crm.policy.in_flight_max = 7;
    crm.policy.rate_limits.address = Some(RateLimit::per_second(3));
    crm.instances[0].zone = Some("eu-1a".to_owned());
    crm.instances[0].state = InstanceState::Draining;
    commit(commits, Change::ServiceRegistered(Box::new(crm.clone()))).await.expect("a free name");
    let read = found(store, &crm).await.expect("it is there");
    assert!(read.number > 0, "got {}", read.number);
    assert_eq!(read, Service { number: read.number, ..crm });
    assert_eq!(store.services().await.expect("the store answers"), [read]);
    assert_eq!(found(store, &service("other")).await, None);
}

/// The old wire's ids are stable: that of a deleted service is not used again.
pub async fn numbers_are_given_in_order_and_never_again(store: &dyn Store, commits: Commits<'_>) {
    let first = register(commits, "first").await;
    let second = register(commits, "second").await;
    commit(commits, Change::ServiceDeleted { service: second.id }).await.expect("it is there");
    let third = register(commits, "third").await;
    let services = store.services().await.expect("the store answers");
    let ids: Vec<_> = services.iter().map(|service| service.id).collect();
    assert_eq!(ids, [first.id, third.id]);
    assert!(services[1].number > services[0].number + 1, "got {services:?}");
}

/// Registering and renaming alike.
pub async fn a_name_is_taken_once(store: &dyn Store, commits: Commits<'_>) {
    register(commits, "crm").await;
    let second = commit(commits, Change::ServiceRegistered(Box::new(service("crm")))).await;
    assert!(matches!(second, Err(StoreError::Taken { field: "endpoint_name" })), "got {second:?}");
    let other = register(commits, "other").await;
    let renamed = Service { name: service("crm").name, version: 2, ..other.clone() };
    let renamed = commit(commits, Change::ServiceUpdated { service: Box::new(renamed), expected: 1 }).await;
    assert!(matches!(renamed, Err(StoreError::Taken { field: "endpoint_name" })), "got {renamed:?}");
    assert_eq!(found(store, &other).await.map(|service| service.version), Some(1));
}

/// Instances are replaced as a whole; what the storage gave stays.
pub async fn an_update_replaces_all_but_number_and_documents(store: &dyn Store, commits: Commits<'_>) {
    let before = register(commits, "crm").await;
    store_document(commits, &before, document(None, "{}", 1)).await;
    let mut after = Service { name: service("people").name, description: None, version: 2, ..before.clone() };
    let another = InstanceSpec { base_url: Some("http://localhost:2".to_owned()), ..InstanceSpec::default() };
    let id = service("x").instances[0].id;
    after.instances.push(another.decide(&before, id).expect("a sound instance"));
    after.credential = Credential::None;
    after.updated_at = Timestamp::from_seconds(1_900_000_000);
    let change = Change::ServiceUpdated { service: Box::new(after.clone()), expected: 1 };
    commit(commits, change).await.expect("nobody else changed it");
    let read = found(store, &before).await.expect("it is there");
    let specifications = vec![SpecificationMark { version: None, fetched_at: Timestamp::from_seconds(1) }];
    assert_eq!(read, Service { number: read.number, specifications, ..after });
}

/// Whoever comes second decides again.
pub async fn an_update_of_another_version_is_stale_and_writes_nothing(
    store: &dyn Store,
    commits: Commits<'_>,
) {
    let crm = register(commits, "crm").await;
    let step = |title: &str| {
        let service = Box::new(Service { title: title.to_owned(), version: 2, ..crm.clone() });
        Change::ServiceUpdated { service, expected: 1 }
    };
    commit(commits, step("one")).await.expect("the first comes through");
    let second = commit(commits, step("two")).await;
    assert!(matches!(second, Err(StoreError::Stale)), "got {second:?}");
    assert_eq!(found(store, &crm).await.map(|service| service.title).as_deref(), Some("one"));
}

/// So that a deleted service does not come back.
pub async fn an_update_of_nothing_is_missing(store: &dyn Store, commits: Commits<'_>) {
    let nobody = service("nobody");
    let update = Change::ServiceUpdated { service: Box::new(nobody.clone()), expected: 1 };
    for change in [update, Change::ServiceDeleted { service: nobody.id }] {
        let refused = commit(commits, change).await;
        assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
    }
    assert_eq!(found(store, &nobody).await, None);
}

/// And leaves those of others.
pub async fn a_deleted_service_takes_its_documents_along(store: &dyn Store, commits: Commits<'_>) {
    let (gone, stays) = (register(commits, "gone").await, register(commits, "stays").await);
    for service in [&gone, &stays] {
        store_document(commits, service, document(None, "{}", 1)).await;
    }
    commit(commits, Change::ServiceDeleted { service: gone.id }).await.expect("it is there");
    assert_eq!(found(store, &gone).await, None);
    assert!(store.find_specification(gone.id, None).await.expect("the store answers").is_none());
    assert!(store.find_specification(stays.id, None).await.expect("the store answers").is_some());
}

/// The document of another version, or of none, is another one.
pub async fn a_document_replaces_the_one_of_its_version_only(store: &dyn Store, commits: Commits<'_>) {
    let crm = register(commits, "crm").await;
    for (version, text, second) in [(None, "old", 1), (Some("v2"), "two", 2), (None, "new – «ä»", 3)] {
        store_document(commits, &crm, document(version, text, second)).await;
    }
    for (version, expected) in [(None, Some("new – «ä»")), (Some("v2"), Some("two")), (Some("v3"), None)]
    {
        let version = version.and_then(Version::parse);
        let read = store.find_specification(crm.id, version.as_ref()).await.expect("the store answers");
        assert_eq!(read.map(|one| one.text).as_deref(), expected, "{version:?}");
    }
    let marks = found(store, &crm).await.expect("it is there").specifications;
    let seconds: Vec<_> =
        marks.iter().map(|mark| (mark.version.as_ref(), mark.fetched_at.as_seconds())).collect();
    assert_eq!(seconds, [(None, 3), (Version::parse("v2").as_ref(), 2)]);
}

/// A document that comes when its service is gone is nobody's.
pub async fn a_document_without_a_service_is_missing(_: &dyn Store, commits: Commits<'_>) {
    let change =
        Change::SpecificationStored { service: service("x").id, specification: document(None, "{}", 1) };
    let refused = commit(commits, change).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
}

/// And the last that were set count.
pub async fn limits_are_absent_until_they_are_set(store: &dyn Store, commits: Commits<'_>) {
    assert_eq!(store.find_rate_limits().await.expect("the store answers"), None);
    for limits in [RateLimits::standard(), RateLimits { principal: None, ..RateLimits::standard() }] {
        commit(commits, Change::RateLimitsSet(limits.clone())).await.expect("limits can be set");
        assert_eq!(store.find_rate_limits().await.expect("the store answers"), Some(limits));
    }
}
