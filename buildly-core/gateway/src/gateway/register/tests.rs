use super::super::world::{World, member, registration, root};
use super::*;
use crate::ServiceKey;

fn fields(error: &Error) -> Vec<&str> {
    match error {
        Error::Invalid(fields) => fields.iter().map(|error| error.field.as_str()).collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_registered_service_is_there_at_once_with_its_number() {
    let world = World::default();
    let gateway = world.gateway();
    let crm = gateway.register(&root(), registration("crm", "http://127.0.0.1:8001")).await.unwrap();
    assert_eq!((crm.number, crm.title.as_str(), crm.version), (1, "crm", 1));
    assert_eq!(gateway.snapshot().find_by_name("crm").unwrap().service, crm);
    assert_eq!(world.events(), ["gateway.service.registered"]);
    assert!(world.fetches().is_empty(), "nothing is fetched before it is needed");
}

#[tokio::test]
async fn tokens_travel_to_near_addresses_only_unless_it_is_said() {
    let gateway = World::default().gateway();
    for (name, endpoint, said, expected) in [
        ("here", "http://localhost:1", None, Credential::Forward),
        ("near", "http://10.0.0.7:1", None, Credential::Forward),
        ("far", "https://api.example.org", None, Credential::None),
        ("ours", "https://crm.example.org", Some(Credential::Forward), Credential::Forward),
        ("quiet", "http://localhost:2", Some(Credential::None), Credential::None),
    ] {
        let registration = Registration { credential: said, ..registration(name, endpoint) };
        assert_eq!(gateway.register(&root(), registration).await.unwrap().credential, expected, "{name}");
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_in_one_go() {
    let gateway = World::default().gateway();
    let nothing = gateway.register(&root(), Registration::default()).await.unwrap_err();
    assert_eq!(fields(&nothing), ["endpoint", "endpoint_name"]);
    let wrong = Registration {
        docs_endpoint: Some("../secret".to_owned()),
        policy: Some(Policy { in_flight_max: 0, ..Policy::default() }),
        title: Some("x".repeat(256)),
        ..registration("docs", "gopher://x")
    };
    let wrong = gateway.register(&root(), wrong).await.unwrap_err();
    assert_eq!(fields(&wrong), ["endpoint", "endpoint_name", "docs_endpoint", "in_flight_max", "name"]);
}

#[tokio::test]
async fn the_same_name_is_not_registered_twice() {
    let gateway = World::default().gateway();
    gateway.register(&root(), registration("crm", "http://localhost:1")).await.unwrap();
    let same = gateway.register(&root(), registration("crm", "http://localhost:1")).await.unwrap_err();
    assert!(matches!(same, Error::AlreadyRegistered));
    let other = gateway.register(&root(), registration("crm", "http://localhost:2")).await.unwrap_err();
    assert_eq!(fields(&other), ["endpoint_name"]);
}

#[tokio::test]
async fn only_superusers_see_and_change_services() {
    let world = World::default();
    let gateway = world.gateway();
    let crm = gateway.register(&root(), registration("crm", "http://localhost:1")).await.unwrap();
    for (who, principal) in [("a stranger", Principal::ANONYMOUS), ("a member", member())] {
        let refusals = [
            gateway.register(&principal, registration("x", "http://localhost:2")).await.err(),
            gateway.services(&principal).await.err(),
            gateway.service(&principal, crm.id).await.err(),
            gateway.find_service(&principal, &ServiceKey::Number(1)).await.err(),
            gateway.specification(&principal, crm.id, None).await.err(),
            gateway.refresh_specification(&principal, crm.id, None).await.err(),
            gateway.update(&principal, crm.id, &Default::default(), None).await.err(),
            gateway.delete(&principal, crm.id).await.err(),
            gateway.add_instance(&principal, crm.id, &Default::default()).await.err(),
            gateway.update_instance(&principal, crm.id, crm.instances[0].id, &Default::default()).await.err(),
            gateway.remove_instance(&principal, crm.id, crm.instances[0].id).await.err(),
            gateway.rate_limits(&principal).await.err(),
            gateway.set_rate_limits(&principal, Default::default()).await.err(),
        ];
        for (number, refusal) in refusals.into_iter().enumerate() {
            let refusal = refusal.unwrap_or_else(|| panic!("operation {number} was open to {who}"));
            assert!(matches!(refusal, Error::Unauthenticated | Error::Forbidden), "{number}: {refusal}");
        }
    }
    assert_eq!(world.events().len(), 1);
}
