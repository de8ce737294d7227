//! Nobody gives away, to others or to whoever comes next, what they do not have.

use buildly_model::{Action, Actions, EventId, ServiceId, system::System};

use super::world::{World, as_principal};
use crate::Error;
use crate::identity::{Group, GroupKey, GroupUpdate, User, UserKey, UserUpdate, UserView};
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
