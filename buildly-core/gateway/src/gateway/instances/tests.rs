use super::super::world::{World, registration, root};
use super::*;
use crate::Update;

async fn with_service() -> (Gateway, Service) {
    let gateway = World::default().gateway();
    let service = gateway.register(&root(), registration("crm", "http://localhost:1")).await.unwrap();
    (gateway, service)
}

fn at(base_url: &str) -> InstanceSpec {
    InstanceSpec { base_url: Some(base_url.to_owned()), ..InstanceSpec::default() }
}

#[tokio::test]
async fn a_draining_instance_takes_no_new_calls() {
    let (gateway, crm) = with_service().await;
    let second = gateway.add_instance(&root(), crm.id, &at("http://localhost:2")).await.unwrap();
    let drain = InstanceSpec { state: Some(InstanceState::Draining), ..InstanceSpec::default() };
    gateway.update_instance(&root(), crm.id, second.id, &drain).await.unwrap();
    let snapshot = gateway.snapshot();
    let service = &snapshot.find(crm.id).unwrap().service;
    let candidates: Vec<&str> = service.candidates(None).map(|instance| instance.base_url.as_str()).collect();
    assert_eq!((service.instances.len(), candidates), (2, vec!["http://localhost:1"]));
}

#[tokio::test]
async fn the_last_instance_stays() {
    let (gateway, crm) = with_service().await;
    let second = gateway.add_instance(&root(), crm.id, &at("http://localhost:2")).await.unwrap();
    gateway.remove_instance(&root(), crm.id, crm.instances[0].id).await.unwrap();
    let last = gateway.remove_instance(&root(), crm.id, second.id).await;
    assert!(matches!(last, Err(Error::Conflict { .. })), "{last:?}");
    let gone = gateway.remove_instance(&root(), crm.id, crm.instances[0].id).await;
    assert!(matches!(gone, Err(Error::NotFound)), "{gone:?}");
}

#[tokio::test]
async fn where_tokens_must_not_go_any_more_every_node_knows_before_it_is_acknowledged() {
    let world = World::default();
    let gateway = world.gateway();
    let crm = gateway.register(&root(), registration("crm", "http://localhost:1")).await.unwrap();
    let second = gateway.add_instance(&root(), crm.id, &at("http://localhost:2")).await.unwrap();
    let heavier = InstanceSpec { weight: Some(2), ..at("http://localhost:2/api") };
    gateway.update_instance(&root(), crm.id, second.id, &heavier).await.unwrap();
    assert_eq!(world.rights_taken(), Vec::<String>::new());
    gateway.update_instance(&root(), crm.id, second.id, &at("http://localhost:3")).await.unwrap();
    gateway.remove_instance(&root(), crm.id, second.id).await.unwrap();
    let moved = Update { endpoint: Some("http://localhost:4".to_owned()), ..Update::default() };
    gateway.update(&root(), crm.id, &moved, None).await.unwrap();
    let expected = ["gateway.instance.updated", "gateway.instance.removed", "gateway.service.updated"];
    assert_eq!(world.rights_taken(), expected);
}

#[tokio::test]
async fn an_instance_at_a_strangers_address_gets_tokens_only_when_it_is_said() {
    let (gateway, crm) = with_service().await;
    let far = at("https://far.example");
    assert!(matches!(gateway.add_instance(&root(), crm.id, &far).await, Err(Error::Invalid(_))));
    let moved = gateway.update_instance(&root(), crm.id, crm.instances[0].id, &far).await;
    assert!(matches!(moved, Err(Error::Invalid(_))), "{moved:?}");
    let said = InstanceSpec { may_receive_tokens: true, ..far };
    assert!(gateway.add_instance(&root(), crm.id, &said).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_field() {
    let (gateway, crm) = with_service().await;
    for (spec, field) in [
        (InstanceSpec::default(), "base_url"),
        (at("nonsense"), "base_url"),
        (at("http://localhost:1"), "base_url"),
        (InstanceSpec { weight: Some(0), ..at("http://localhost:2") }, "weight"),
        (InstanceSpec { zone: Some(Some("x".repeat(256))), ..at("http://localhost:2") }, "zone"),
    ] {
        match gateway.add_instance(&root(), crm.id, &spec).await {
            Err(Error::Invalid(fields)) => assert_eq!(fields[0].field, field, "{spec:?}"),
            other => panic!("{spec:?}: {other:?}"),
        }
    }
}
