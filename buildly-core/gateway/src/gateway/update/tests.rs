use super::super::world::{World, registration, root};
use super::*;
use crate::RateLimit;

async fn with_service(endpoint: &str) -> (World, Gateway, Service) {
    let world = World::default();
    let gateway = world.gateway();
    let service = gateway.register(&root(), registration("crm", endpoint)).await.unwrap();
    (world, gateway, service)
}

#[tokio::test]
async fn only_what_is_said_changes() {
    let (_, gateway, crm) = with_service("http://localhost:1").await;
    let update = Update {
        title: Some("CRM".to_owned()),
        description: Some(Some("people".to_owned())),
        ..Update::default()
    };
    let changed = gateway.update(&root(), crm.id, &update, Some(1)).await.unwrap();
    assert_eq!((changed.title.as_str(), changed.description.as_deref()), ("CRM", Some("people")));
    assert_eq!((changed.version, changed.number, &changed.instances), (2, 1, &crm.instances));
    let update = Update { description: Some(None), ..Update::default() };
    assert_eq!(gateway.update(&root(), crm.id, &update, None).await.unwrap().description, None);
}

#[tokio::test]
async fn a_change_to_another_version_than_the_one_seen_is_refused() {
    let (_, gateway, crm) = with_service("http://localhost:1").await;
    gateway.update(&root(), crm.id, &Update::default(), Some(1)).await.unwrap();
    let second = gateway.update(&root(), crm.id, &Update::default(), Some(1)).await;
    assert!(matches!(second, Err(Error::Conflict { .. })), "{second:?}");
}

#[tokio::test]
async fn a_renamed_service_is_found_by_its_new_name_only() {
    let (_, gateway, crm) = with_service("http://localhost:1").await;
    let update = Update { name: Some("people".to_owned()), ..Update::default() };
    gateway.update(&root(), crm.id, &update, None).await.unwrap();
    let snapshot = gateway.snapshot();
    assert!(snapshot.find_by_name("crm").is_none());
    assert_eq!(snapshot.find_by_name("people").unwrap().service.id, crm.id);
}

#[tokio::test]
async fn a_name_in_use_is_refused() {
    let (_, gateway, crm) = with_service("http://localhost:1").await;
    gateway.register(&root(), registration("docs-service", "http://localhost:2")).await.unwrap();
    let update = Update { name: Some("docs-service".to_owned()), ..Update::default() };
    assert!(matches!(gateway.update(&root(), crm.id, &update, None).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_service_that_moves_to_a_stranger_is_not_sent_tokens_unless_it_is_said() {
    for (to, said, expected) in [
        ("http://localhost:2", None, Credential::Forward),
        ("https://far.example", None, Credential::None),
        ("https://far.example", Some(Credential::Forward), Credential::Forward),
    ] {
        let (_, gateway, crm) = with_service("http://localhost:1").await;
        let update = Update { endpoint: Some(to.to_owned()), credential: said, ..Update::default() };
        let moved = gateway.update(&root(), crm.id, &update, None).await.unwrap();
        assert_eq!((moved.credential, moved.instances[0].base_url.as_str()), (expected, to));
    }
}

#[tokio::test]
async fn a_deleted_service_is_gone_at_once() {
    let (_, gateway, crm) = with_service("http://localhost:1").await;
    gateway.delete(&root(), crm.id).await.unwrap();
    assert!(gateway.snapshot().find(crm.id).is_none());
    assert!(gateway.snapshot().find_by_name("crm").is_none());
    assert!(matches!(gateway.delete(&root(), crm.id).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn limits_are_data_of_the_snapshot() {
    let (_, gateway, _) = with_service("http://localhost:1").await;
    assert_eq!(gateway.snapshot().rate_limits(), RateLimits::standard());
    let limits = RateLimits { address: Some(RateLimit::per_second(7)), ..RateLimits::default() };
    gateway.set_rate_limits(&root(), limits.clone()).await.unwrap();
    assert_eq!(gateway.snapshot().rate_limits(), limits);
    let wrong = RateLimits { address: Some(RateLimit::per_second(0)), ..RateLimits::default() };
    assert!(matches!(gateway.set_rate_limits(&root(), wrong).await, Err(Error::Invalid(_))));
}
