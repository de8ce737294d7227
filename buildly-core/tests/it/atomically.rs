//! Commands of all areas in one unit: everything is there, or nothing is.

use std::time::Duration;

use buildly_core::auth::identity::{
    GroupKey, GroupUpdate, OrganizationUpdate, ProfileUpdate, Registration as Newcomer,
};
use buildly_core::auth::{Reason, Resource};
use buildly_core::gateway::Registration;
use buildly_core::mesh::{JoinRecordFilter, JoinRecordInput, Key, RecordTypeInput, RelationshipInput};
use buildly_core::model::{
    Action, Actions, ErrorKind, GroupId, OrganizationId, PageSize, Principal, Secret, ServiceId,
};
use buildly_core::workflow::template::{Level, Template};
use buildly_core::workflow::{RunFilter, StartRun, Status};
use buildly_core::{Buildly, COMMANDS_MAX, Error, UnitOfWork};
use serde_json::json;

use crate::world::{PASSWORD, World, sign_in};

/// Declares what links and runs need.
async fn prepare(world: &World) {
    let (buildly, ada) = (&world.buildly, &world.ada);
    let mut types = Vec::new();
    for (service, model) in [("crm", "Contact"), ("archive", "Document")] {
        let declared = RecordTypeInput {
            service: service.to_owned(),
            model: model.to_owned(),
            endpoint: format!("/{model}s/"),
            key_field: "id".to_owned(),
            is_local: false,
        };
        types.push(buildly.mesh().create_record_type(ada, declared).await.unwrap().id);
    }
    let relationship = RelationshipInput {
        key: "documents".to_owned(),
        origin: types[0],
        related: types[1],
        foreign_key: None,
    };
    buildly.mesh().create_relationship(ada, relationship).await.unwrap();
    let mut template = Template::new("welcome", [Level::emit("say", "customer.welcomed")]);
    template.input = Some(json!({"type": "object", "required": ["name"]}));
    buildly.workflow().save_draft(ada, &template).await.unwrap();
    buildly.workflow().publish(ada, "welcome", None).await.unwrap();
}

fn organization(name: &str) -> OrganizationUpdate {
    OrganizationUpdate { name: Some(name.to_owned()), ..OrganizationUpdate::default() }
}

fn auditors(organization: OrganizationId) -> GroupUpdate {
    GroupUpdate {
        name: Some("Auditors".to_owned()),
        organization: Some(organization),
        is_organization_level: Some(true),
        permissions: Some(Actions::READ),
        ..GroupUpdate::default()
    }
}

fn service(name: &str) -> Registration {
    Registration {
        name: Some(name.to_owned()),
        endpoint: Some(format!("http://{name}.localhost")),
        ..Registration::default()
    }
}

fn link(origin: i64) -> JoinRecordInput {
    JoinRecordInput {
        origin_type: "crmContact".to_owned(),
        related_type: "archiveDocument".to_owned(),
        origin: Key::Integer(origin),
        related: Key::Integer(2),
    }
}

fn welcome(key: Option<&str>) -> StartRun {
    StartRun {
        template: "welcome".to_owned(),
        input: json!({"name": "Bob"}),
        idempotency_key: key.map(str::to_owned),
        ..StartRun::default()
    }
}

/// A unit with a command of each kind, and the ids of what it makes.
fn everything() -> (UnitOfWork, OrganizationId, GroupId, ServiceId) {
    let mut unit = UnitOfWork::new();
    let globex = unit.create_organization(organization("Globex"));
    let group = unit.create_group(auditors(globex));
    let ledger = unit.register_service(service("ledger"), [GroupKey::Id(group)]);
    unit.link_records(link(1));
    unit.start_run(welcome(None));
    (unit, globex, group, ledger)
}

/// How much of everything there is.
async fn census(buildly: &Buildly, ada: &Principal) -> [usize; 6] {
    let auth = buildly.auth();
    let all = JoinRecordFilter::default();
    let links = buildly.mesh().join_records(ada, &all, None, PageSize::default());
    [
        auth.organizations(ada, None).await.unwrap().items.len(),
        auth.groups(ada, None).await.unwrap().items.len(),
        buildly.gateway().services(ada).await.unwrap().len(),
        links.await.unwrap().records.len(),
        buildly.workflow().runs(ada, &RunFilter::default(), None, 100).await.unwrap().rows.len(),
        usize::try_from(buildly.journal().verify().await.unwrap().events).unwrap(),
    ]
}

/// Registers somebody of Acme who may look and no more.
async fn viewer(buildly: &Buildly, ada: &Principal) -> Principal {
    let newcomer = Newcomer {
        username: "bob".to_owned(),
        email: String::new(),
        password: Secret::new(PASSWORD),
        organization_name: "Acme".to_owned(),
        profile: ProfileUpdate::default(),
        invitation: None,
        groups: Vec::new(),
    };
    buildly.auth().register(ada, &newcomer).await.unwrap();
    sign_in(buildly, "bob").await
}

async fn all_of_a_unit_is_there(world: &World) {
    prepare(world).await;
    let (buildly, ada) = (&world.buildly, &world.ada);
    let (unit, globex, group, ledger) = everything();
    let written = buildly.atomically(ada, unit).await.unwrap();
    let snapshot = buildly.snapshot();
    assert!(snapshot.revision >= written.revision, "it counts at once");
    assert_eq!(snapshot.gateway.find_by_name("ledger").unwrap().service.id, ledger);
    assert_eq!(buildly.auth().organization(ada, globex).await.unwrap().name, "Globex");
    let made = buildly.auth().group(ada, GroupKey::Id(group)).await.unwrap();
    assert_eq!((made.name.as_str(), made.organization), ("Auditors", Some(globex)));
    let attached = buildly.auth().service_groups(ledger).await.unwrap();
    assert_eq!(attached.iter().map(|group| group.id).collect::<Vec<_>>(), [group]);
    let bob = viewer(buildly, ada).await;
    let decision = buildly.snapshot().auth.check(&bob, Action::Read, Resource::Service(ledger));
    assert!(!decision.is_allowed(), "a group is attached: {:?}", decision.reason());
    let record = buildly.mesh().join_record(ada, written.links[0]).await.unwrap().record;
    assert_eq!((record.origin, record.related), (Key::Integer(1), Key::Integer(2)));
    let run = buildly.workflow().wait(ada, written.runs[0], Duration::from_secs(30)).await.unwrap();
    assert_eq!(run.summary.status, Status::Completed);
    assert_eq!(buildly.journal().verify().await.unwrap().broken, []);
}

async fn a_last_command_that_is_refused_leaves_nothing(world: &World) {
    prepare(world).await;
    let (buildly, ada) = (&world.buildly, &world.ada);
    let bob = viewer(buildly, ada).await;
    buildly.gateway().register(ada, service("shop")).await.unwrap();
    let before = census(buildly, ada).await;
    type Last = fn(&mut UnitOfWork);
    let cases: [(&str, ErrorKind, Last); 9] = [
        ("a template that is not published", ErrorKind::NotFound, |unit| {
            unit.start_run(StartRun { template: "farewell".to_owned(), ..StartRun::default() });
        }),
        ("an input that does not fit", ErrorKind::Invalid, |unit| {
            unit.start_run(StartRun { input: json!({}), ..welcome(None) });
        }),
        ("records that are not related", ErrorKind::Invalid, |unit| {
            unit.link_records(JoinRecordInput { origin_type: "crmCompany".to_owned(), ..link(1) });
        }),
        ("a group of no organization", ErrorKind::Invalid, |unit| {
            unit.create_group(auditors(OrganizationId::from_uuid(Default::default())));
        }),
        ("a service without an address", ErrorKind::Invalid, |unit| {
            unit.register_service(Registration { endpoint: None, ..service("nowhere") }, []);
        }),
        ("a service whose name is taken", ErrorKind::Invalid, |unit| {
            unit.register_service(service("shop"), []);
        }),
        // The storage alone sees these, when the others are written already.
        ("a name of an organization twice", ErrorKind::Invalid, |unit| {
            unit.create_organization(organization("Globex"));
        }),
        ("a name of a service twice", ErrorKind::Invalid, |unit| {
            unit.register_service(service("ledger"), []);
        }),
        ("one key for two runs", ErrorKind::Invalid, |unit| {
            unit.start_run(welcome(Some("key")));
            unit.start_run(welcome(Some("key")));
        }),
    ];
    for (case, expected, last) in cases {
        let (mut unit, ..) = everything();
        last(&mut unit);
        let refused = buildly.atomically(ada, unit).await.expect_err(case);
        assert_eq!(refused.kind(), expected, "{case}: {refused}");
        assert_eq!(census(buildly, ada).await, before, "{case}: {refused}");
    }
    let (unit, ..) = everything();
    match buildly.atomically(&bob, unit).await {
        Err(Error::Auth(buildly_core::auth::Error::Forbidden(Reason::NotGlobalAdmin))) => {}
        other => panic!("a unit gives nobody more rights: {other:?}"),
    }
    assert_eq!(census(buildly, ada).await, before);
}

async fn of_two_units_that_exclude_each_other_one_is_there(world: &World) {
    prepare(world).await;
    let (buildly, ada) = (&world.buildly, &world.ada);
    let before = census(buildly, ada).await;
    let (one, other) = (everything().0, everything().0);
    let (one, other) = tokio::join!(buildly.atomically(ada, one), buildly.atomically(ada, other));
    assert!(one.is_ok() != other.is_ok(), "{one:?}, {other:?}");
    let after = census(buildly, ada).await;
    let more: Vec<usize> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    // An organization begins with two groups; the run may have taken steps meanwhile.
    assert_eq!(more[..5], [1, 3, 1, 1, 1]);
}

async fn what_is_there_already_is_given_back(world: &World) {
    prepare(world).await;
    let (buildly, ada) = (&world.buildly, &world.ada);
    let known = buildly.mesh().create_join_record(ada, link(1)).await.unwrap().record.id;
    let started = buildly.workflow().start(ada, welcome(Some("key"))).await.unwrap().summary.id;
    let mut unit = UnitOfWork::new();
    unit.link_records(link(1));
    unit.link_records(link(3));
    unit.link_records(link(3));
    unit.start_run(welcome(Some("key")));
    let written = buildly.atomically(ada, unit).await.unwrap();
    assert_eq!((written.links[0], written.runs[0]), (known, started));
    assert_eq!(written.links[1], written.links[2], "the same pair twice is one record");
    assert_eq!(census(buildly, ada).await[3..5], [2, 1]);
}

async fn a_unit_has_a_bound(world: &World) {
    let (buildly, ada) = (&world.buildly, &world.ada);
    buildly.atomically(ada, UnitOfWork::new()).await.expect("nothing is nothing");
    let mut unit = UnitOfWork::new();
    for number in 0..COMMANDS_MAX {
        unit.create_organization(organization(&format!("Number {number}")));
    }
    let mut larger = unit.clone();
    larger.create_organization(organization("One more"));
    let refused = buildly.atomically(ada, larger).await.expect_err("too many");
    assert_eq!(refused.to_string(), "a unit has at most 100 commands; this one has 101");
    buildly.atomically(ada, unit).await.expect("as many as may be");
}

/// Runs each promise on both databases.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let world = World::on_sqlite().await;
                super::$case(&world).await;
                world.remove().await;
            })*
        }
        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let world = World::on_postgres().await;
                super::$case(&world).await;
                world.remove().await;
            })*
        }
    };
}

on_both!(
    all_of_a_unit_is_there,
    a_last_command_that_is_refused_leaves_nothing,
    of_two_units_that_exclude_each_other_one_is_there,
    what_is_there_already_is_given_back,
    a_unit_has_a_bound,
);
