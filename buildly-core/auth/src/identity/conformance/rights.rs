//! Nobody gives away, to others or to whoever comes next, what they do not have.

use buildly_journal::{Event, Part};
use buildly_model::{Action, Actions, EventId, GroupId, Principal, ServiceId, system::System};

use super::world::{World, as_principal, registration};
use crate::Error;
use crate::identity::groups::GROUPS_MADE_MAX;
use crate::identity::{Change, Group, GroupKey, GroupUpdate, User, UserKey, UserUpdate, UserView};
use crate::permission::Reason;

fn group(name: &str, admin: &UserView, bits: u8) -> GroupUpdate {
    GroupUpdate {
        name: Some(name.to_owned()),
        organization: admin.user.organization,
        is_organization_level: Some(true),
        permissions: Some(Actions::from_bits(bits)),
        ..GroupUpdate::default()
    }
}

async fn make(world: &World, admin: &UserView, name: &str, bits: u8) -> Group {
    let made = world.auth.create_group(&as_principal(&admin.user), &group(name, admin, bits)).await;
    made.expect("an admin may")
}

async fn put_into(world: &World, admin: &UserView, user: &User, groups: &[&Group]) {
    let groups = groups.iter().map(|group| GroupKey::Id(group.id)).collect();
    let update = UserUpdate { groups: Some(groups), ..UserUpdate::default() };
    let put = world.auth.update_user(&as_principal(&admin.user), UserKey::Id(user.id), &update).await;
    put.expect("an admin may");
}

pub async fn what_new_users_join_is_for_administrators(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let editors = make(world, &ada, "Editors", 14).await;
    put_into(world, &ada, &bob.user, &[&editors]).await;
    let member = as_principal(&bob.user);
    let by_default = GroupUpdate { is_default: Some(true), ..GroupUpdate::default() };
    let by_choice = GroupUpdate { is_default: Some(false), ..GroupUpdate::default() };
    let users = ada.groups.iter().find(|group| group.is_default).expect("a founder is in it").id;
    for (case, key, update) in [
        ("the admin group", ada.groups[0].id, &by_default),
        ("the own group", editors.id, &by_default),
        ("no longer", users, &by_choice),
    ] {
        let refused = world.auth.update_group(&member, GroupKey::Id(key), update).await;
        assert!(
            matches!(refused, Err(Error::Forbidden(Reason::NotAdministrator))),
            "{case}: got {refused:?}"
        );
    }
    let made = GroupUpdate { is_default: Some(true), ..group("Everybody", &ada, 4) };
    let refused = world.auth.create_group(&member, &made).await;
    assert!(matches!(refused, Err(Error::Forbidden(Reason::NotAdministrator))), "a new one: {refused:?}");
    let eve = world.register("eve", "Acme").await;
    assert_eq!(eve.user.groups, [users], "nothing has changed");

    let same = GroupUpdate { name: Some("Folk".to_owned()), ..by_default.clone() };
    world.auth.update_group(&member, GroupKey::Id(users), &same).await.expect("it was the default before");
    let admin = as_principal(&ada.user);
    world.auth.update_group(&admin, GroupKey::Id(editors.id), &by_default).await.expect("an admin may");
}

pub async fn an_organization_has_no_more_groups_than_are_read(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let (admin, organization) = (as_principal(&ada.user), ada.user.organization);
    let now = world.now();
    let changes = (0..GROUPS_MADE_MAX).map(|number| {
        let group = Group {
            id: GroupId::generate(now, &System),
            name: format!("0 {number}"),
            number: 0,
            ..ada.groups[1].clone()
        };
        Change::GroupCreated(Group { is_default: false, ..group })
    });
    let event = Event::new("auth.test.happened", "test", (), &Principal::ANONYMOUS, &System, &System);
    let part = Part::of_all(organization, changes.collect(), vec![event]);
    world.commits.commit(part.map(crate::Change::Identity)).await.expect("the storage takes them");
    let refused = world.auth.create_group(&admin, &group("one more", &ada, 4)).await;
    assert!(matches!(refused, Err(Error::Conflict { .. })), "got {refused:?}");
    let lowered = GroupUpdate { permissions: Some(Actions::READ), ..GroupUpdate::default() };
    let refused = world.auth.update_group(&admin, GroupKey::Id(ada.groups[0].id), &lowered).await;
    assert!(matches!(refused, Err(Error::Conflict { .. })), "the last admin group is seen: {refused:?}");
}

pub async fn a_closed_deployment_lets_nobody_move_where_nobody_invited_them(world: &World) {
    let root = world.superuser().await;
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let settings = crate::identity::Settings { registration_is_open: false, ..world.auth.settings().clone() };
    let closed = world.auth.clone().with_settings(settings);
    let (member, key) = (as_principal(&bob.user), UserKey::Id(bob.user.id));
    for name in ["Elsewhere", "default organization"] {
        let refused = closed.move_user(&member, key, name, None).await;
        assert!(matches!(refused, Err(Error::Forbidden(Reason::InvitationNeeded))), "{name}: {refused:?}");
    }
    closed.move_user(&member, key, "acme", Some("robert@example.org")).await.expect("he stays");
    let moved = closed.move_user(&as_principal(&root.user), key, "Elsewhere", None).await;
    assert!(moved.is_ok(), "an administrator of the deployment may: {moved:?}");
}

pub async fn names_stand_on_one_line(world: &World) {
    let mut registration = registration("eve", "Acme\n\nFollow this link: http://evil.example/");
    let refused = world.auth.register(&Principal::ANONYMOUS, &registration).await;
    assert!(
        matches!(&refused, Err(Error::Invalid(fields)) if fields[0].field == "organization_name"),
        "got {refused:?}"
    );
    registration.organization_name = " Acme\n".to_owned();
    let eve = world.auth.register(&Principal::ANONYMOUS, &registration).await.expect("it is one line");
    assert_eq!(eve.organization.expect("she founded it").name, "Acme");
}

pub async fn a_group_is_raised_only_by_who_may_as_much_on_its_services(world: &World) {
    let root = world.superuser().await;
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let editors = make(world, &ada, "Editors", 14).await;
    let clerks = make(world, &ada, "Clerks", 4).await;
    put_into(world, &ada, &bob.user, &[&editors, &clerks]).await;
    let ledger = ServiceId::from_uuid(EventId::generate(world.now(), &System).as_uuid());
    let superuser = as_principal(&root.user);
    let attached = world.auth.set_service_groups(&superuser, ledger, &[GroupKey::Id(clerks.id)]).await;
    attached.expect("a superuser may");
    assert!(world.may(&bob.user, Action::Read, ledger));
    assert!(!world.may(&bob.user, Action::Update, ledger));

    let raised = GroupUpdate { permissions: Some(Actions::from_bits(14)), ..GroupUpdate::default() };
    let (member, key) = (as_principal(&bob.user), GroupKey::Id(clerks.id));
    let refused = world.auth.update_group(&member, key, &raised).await;
    assert!(matches!(refused, Err(Error::Forbidden(Reason::MoreThanOwn))), "got {refused:?}");
    assert!(!world.may(&bob.user, Action::Update, ledger));
    world.auth.update_group(&as_principal(&ada.user), key, &raised).await.expect("an admin may");
    assert!(world.may(&bob.user, Action::Update, ledger));
}
