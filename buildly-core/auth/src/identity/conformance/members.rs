//! Members come, get roles, lose them and go, and the snapshot knows it at once.

use buildly_model::{Action, Actions, EventId, Principal, ServiceId, system::System};

use super::world::{PASSWORD, World, as_principal, organization_of, registration};
use crate::Error;
use crate::identity::{GroupKey, GroupUpdate, UserKey, UserUpdate, UserView};
use crate::permission::{Decision, Reason, Resource};

fn service(world: &World) -> ServiceId {
    ServiceId::from_uuid(EventId::generate(world.now(), &System).as_uuid())
}

fn set_groups(groups: &[GroupKey]) -> UserUpdate {
    UserUpdate { groups: Some(groups.to_vec()), ..UserUpdate::default() }
}

fn keys(view: &UserView) -> Vec<GroupKey> {
    view.groups.iter().map(|group| GroupKey::Number(group.number)).collect()
}

pub async fn a_founder_administers_and_the_next_member_waits_for_approval(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let names: Vec<&str> = ada.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["Admins", "Users"]);
    assert!(ada.user.is_active);
    assert_eq!(ada.groups[0].permissions, Actions::ALL);
    assert_eq!(ada.groups[1].permissions, Actions::READ);

    let bob = world.register("bob", " acme").await;
    assert_eq!(bob.user.organization, ada.user.organization, "names are compared without case");
    assert!(!bob.user.is_active);
    assert_eq!(bob.user.groups, [ada.groups[1].id]);
    let mail = world.take_mail();
    assert_eq!((mail[0].to.as_str(), mail[0].subject.as_str()), ("ada@example.org", "Approval Request"));
    assert!(matches!(world.sign_in("bob", "wrong password").await, Err(Error::WrongCredentials)));
    assert!(matches!(world.sign_in("bob", PASSWORD).await, Err(Error::AwaitingApproval)));

    let approve = UserUpdate { is_active: Some(true), ..UserUpdate::default() };
    let key = UserKey::Number(bob.user.number);
    world.auth.update_user(&as_principal(&ada.user), key, &approve).await.expect("an admin approves");
    assert_eq!(world.sign_in("BOB", PASSWORD).await.expect("he is active").id, bob.user.id);

    let mut greedy = registration("eve", "Acme");
    greedy.groups = vec![GroupKey::Id(ada.groups[0].id)];
    let eve = world.auth.register(&Principal::ANONYMOUS, &greedy).await.expect("registration is open");
    assert_eq!(eve.user.groups, [ada.groups[1].id], "nobody picks the own groups");
    greedy.username = "fay".to_owned();
    let fay = world.auth.register(&as_principal(&ada.user), &greedy).await.expect("an admin registers");
    assert!(fay.user.is_active);
    assert_eq!(fay.groups.len(), 2, "an administrator does");
}

pub async fn of_two_who_found_the_same_organization_one_waits(world: &World) {
    let (one, two) = (registration("one", "Acme"), registration("two", "ACME"));
    let nobody = Principal::ANONYMOUS;
    let (one, two) = tokio::join!(world.auth.register(&nobody, &one), world.auth.register(&nobody, &two));
    let (one, two) = (one.expect("registration is open"), two.expect("registration is open"));
    assert_eq!(one.user.organization, two.user.organization);
    assert_ne!(one.user.is_active, two.user.is_active);
}

pub async fn a_role_that_is_taken_away_counts_on_the_next_check(world: &World) {
    let root = world.superuser().await;
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let (admin, crm) = (as_principal(&ada.user), service(world));
    assert!(world.may(&bob.user, Action::Create, crm), "no group is attached, so the service is open");

    let superuser = as_principal(&root.user);
    let attached = world.auth.set_service_groups(&superuser, crm, &keys(&ada)).await;
    assert_eq!(attached.expect("a superuser may").len(), 2);
    assert!(world.may(&ada.user, Action::Delete, crm));
    assert!(world.may(&bob.user, Action::Read, crm));
    let decision = world.snapshot().check(&as_principal(&bob.user), Action::Create, Resource::Service(crm));
    let Decision::Deny(Reason::GroupTooWeak { group, .. }) = &decision else { panic!("got {decision:?}") };
    assert_eq!(group.name, "Users");

    let editors = GroupUpdate {
        name: Some("Editors".to_owned()),
        organization: ada.user.organization,
        is_organization_level: Some(true),
        permissions: Some(Actions::from_bits(14)),
        ..GroupUpdate::default()
    };
    let editors = world.auth.create_group(&admin, &editors).await.expect("an admin may");
    let with_editors = [&keys(&ada)[..], &[GroupKey::Id(editors.id)]].concat();
    world.auth.set_service_groups(&superuser, crm, &with_editors).await.expect("a superuser may");
    let bob_key = UserKey::Id(bob.user.id);
    let promote = set_groups(&[GroupKey::Id(editors.id)]);
    world.auth.update_user(&admin, bob_key, &promote).await.expect("an admin may");
    assert!(world.may(&bob.user, Action::Update, crm));
    let lowered = GroupUpdate { permissions: Some(Actions::READ), ..GroupUpdate::default() };
    world.auth.update_group(&admin, GroupKey::Id(editors.id), &lowered).await.expect("an admin may");
    assert!(!world.may(&bob.user, Action::Update, crm), "the group was lowered");
    assert!(world.may(&bob.user, Action::Read, crm));
    world.auth.update_user(&admin, bob_key, &set_groups(&[])).await.expect("an admin may");
    assert!(!world.may(&bob.user, Action::Read, crm), "he is in no group");

    let leave = UserUpdate { is_active: Some(false), ..UserUpdate::default() };
    world.auth.update_user(&admin, bob_key, &leave).await.expect("an admin may");
    let open = service(world);
    assert!(!world.may(&bob.user, Action::Read, open), "an inactive user may nothing");
    let update = UserUpdate { is_active: Some(true), ..UserUpdate::default() };
    let refused = world.auth.update_user(&as_principal(&bob.user), bob_key, &update).await;
    assert!(matches!(refused, Err(Error::Forbidden(Reason::Inactive))), "got {refused:?}");
}

pub async fn two_administrators_cannot_remove_each_other(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let admin = as_principal(&ada.user);
    let bob_key = UserKey::Id(bob.user.id);
    world.auth.update_user(&admin, bob_key, &set_groups(&keys(&ada))).await.expect("an admin may");
    let (by_ada, by_bob) = (as_principal(&ada.user), as_principal(&bob.user));
    let nothing = set_groups(&[]);
    let (one, two) = tokio::join!(
        world.auth.update_user(&by_ada, bob_key, &nothing),
        world.auth.update_user(&by_bob, UserKey::Id(ada.user.id), &nothing),
    );
    assert!(one.is_ok() != two.is_ok(), "exactly one goes: {one:?} {two:?}");
    let left = world.storage.admin_memberships(organization_of(&ada)).await.expect("readable");
    assert_eq!(left.len(), 1, "one administrator stays");
}

pub async fn the_last_admin_group_stays(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let (admin, admins) = (as_principal(&ada.user), GroupKey::Id(ada.groups[0].id));
    let ada_key = UserKey::Id(ada.user.id);
    let lowered = GroupUpdate { permissions: Some(Actions::from_bits(14)), ..GroupUpdate::default() };
    let narrowed = GroupUpdate { is_organization_level: Some(false), ..GroupUpdate::default() };
    let inactive = UserUpdate { is_active: Some(false), ..UserUpdate::default() };
    let refusals = [
        ("deleted", world.auth.delete_group(&admin, admins).await.err()),
        ("lowered", world.auth.update_group(&admin, admins, &lowered).await.err()),
        ("narrowed", world.auth.update_group(&admin, admins, &narrowed).await.err()),
        ("emptied", world.auth.update_user(&admin, ada_key, &set_groups(&[])).await.err()),
        ("deactivated", world.auth.update_user(&admin, ada_key, &inactive).await.err()),
        ("moved", world.auth.move_user(&admin, ada_key, "Zeta", None).await.err()),
    ];
    for (case, refusal) in refusals {
        assert!(matches!(refusal, Some(Error::Conflict { .. })), "{case}: got {refusal:?}");
    }
    let second = GroupUpdate {
        name: Some("Chiefs".to_owned()),
        organization: ada.user.organization,
        is_organization_level: Some(true),
        permissions: Some(Actions::ALL),
        ..GroupUpdate::default()
    };
    let second = world.auth.create_group(&admin, &second).await.expect("an admin may");
    world
        .auth
        .update_user(&admin, ada_key, &set_groups(&[GroupKey::Id(second.id)]))
        .await
        .expect("she stays one");
    world.auth.delete_group(&admin, admins).await.expect("another group administers now");
}

pub async fn nobody_gives_more_rights_than_their_own(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let (admin, member) = (as_principal(&ada.user), as_principal(&bob.user));
    let editors = GroupUpdate {
        name: Some("Editors".to_owned()),
        organization: ada.user.organization,
        is_organization_level: Some(true),
        permissions: Some(Actions::from_bits(14)),
        ..GroupUpdate::default()
    };
    let made = world.auth.create_group(&admin, &editors).await.expect("an admin may");
    let key = GroupKey::Id(made.id);
    world
        .auth
        .update_user(&admin, UserKey::Id(bob.user.id), &set_groups(&[key]))
        .await
        .expect("an admin may");
    let all = GroupUpdate { permissions: Some(Actions::ALL), ..GroupUpdate::default() };
    let read = GroupUpdate { permissions: Some(Actions::READ), ..GroupUpdate::default() };
    let global = GroupUpdate { is_global: Some(true), ..editors.clone() };
    let too_much = [
        ("raises the own group", world.auth.update_group(&member, key, &all).await.err()),
        ("makes an admin group", {
            let update = GroupUpdate { permissions: Some(Actions::ALL), ..editors.clone() };
            world.auth.create_group(&member, &update).await.err()
        }),
        ("lowers the admin group", {
            world.auth.update_group(&member, GroupKey::Id(ada.groups[0].id), &read).await.err()
        }),
        ("deletes without the right", world.auth.delete_group(&member, key).await.err()),
        ("makes a global group", world.auth.create_group(&member, &global).await.err()),
        (
            "an organization's admin makes a global group",
            world.auth.create_group(&admin, &global).await.err(),
        ),
    ];
    for (case, refusal) in too_much {
        assert!(matches!(refusal, Some(Error::Forbidden(_))), "{case}: got {refusal:?}");
    }
    let fine = world.auth.create_group(&member, &GroupUpdate { name: Some("Peers".into()), ..editors }).await;
    assert_eq!(fine.expect("it is no more than his own").permissions.bits(), 14);
}

pub async fn an_administrator_has_no_power_over_a_superuser(world: &World) {
    let root = world.superuser().await;
    let bob = world.member("bob", &root).await;
    let local = root.groups.iter().find(|group| group.is_organization_admin()).expect("the founder has it");
    let update = set_groups(&[GroupKey::Id(local.id)]);
    let bob_key = UserKey::Id(bob.user.id);
    world.auth.update_user(&as_principal(&root.user), bob_key, &update).await.expect("a superuser may");
    let (bob, root_key) = (as_principal(&bob.user), UserKey::Id(root.user.id));
    let password =
        UserUpdate { password: Some(buildly_model::Secret::new("taken over!")), ..UserUpdate::default() };
    let refused = world.auth.update_user(&bob, root_key, &password).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "got {refused:?}");
    let refused = world.auth.delete_user(&bob, root_key).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "got {refused:?}");
    let global = root.groups.iter().find(|group| group.is_global).expect("a superuser has it");
    let update = set_groups(&[GroupKey::Id(local.id), GroupKey::Id(global.id)]);
    let refused = world.auth.update_user(&bob, bob_key, &update).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "nobody joins a global group alone: {refused:?}");
}

pub async fn a_service_never_opens_because_its_group_went_away(world: &World) {
    let root = world.superuser().await;
    let ada = world.register("ada", "Acme").await;
    let zed = world.register("zed", "Zeta").await;
    let crm = service(world);
    let users = ada.groups.iter().find(|group| group.name == "Users").expect("a founder is in it");
    let attach = [GroupKey::Id(users.id)];
    world.auth.set_service_groups(&as_principal(&root.user), crm, &attach).await.expect("a superuser may");
    world.load(organization_of(&ada)).await;
    assert!(world.may(&ada.user, Action::Read, crm));
    world.load(organization_of(&zed)).await;
    assert!(!world.may(&zed.user, Action::Read, crm));
    world.auth.delete_group(&as_principal(&ada.user), attach[0]).await.expect("an admin may");
    assert!(!world.may(&ada.user, Action::Read, crm));
    assert!(!world.may(&zed.user, Action::Read, crm));
    assert!(world.may(&root.user, Action::Read, crm));
    let organizations = [organization_of(&ada), organization_of(&zed)];
    let again = world.loaded_again(&organizations).await;
    assert!(!again.check(&as_principal(&zed.user), Action::Read, Resource::Service(crm)).is_allowed());
}

pub async fn a_followed_snapshot_is_what_a_loaded_one_is(world: &World) {
    let root = world.superuser().await;
    let ada = world.register("ada", "Acme").await;
    let zed = world.register("zed", "Zeta").await;
    let (admin, crm) = (as_principal(&ada.user), service(world));
    let organizations = [organization_of(&root), organization_of(&ada), organization_of(&zed)];
    for organization in organizations {
        world.load(organization).await;
    }
    let bob = world.member("bob", &ada).await;
    let editors = GroupUpdate {
        name: Some("Editors".to_owned()),
        organization: ada.user.organization,
        is_organization_level: Some(true),
        permissions: Some(Actions::from_bits(14)),
        ..GroupUpdate::default()
    };
    let editors = world.auth.create_group(&admin, &editors).await.expect("an admin may");
    let attached = [&keys(&ada)[..], &keys(&root)[..], &[GroupKey::Id(editors.id)]].concat();
    world.auth.set_service_groups(&as_principal(&root.user), crm, &attached).await.expect("a superuser may");
    let to_editors = set_groups(&[GroupKey::Id(editors.id)]);
    world.auth.update_user(&admin, UserKey::Id(bob.user.id), &to_editors).await.expect("an admin may");
    world.auth.delete_group(&admin, GroupKey::Id(ada.groups[1].id)).await.expect("an admin may");
    let (followed, loaded) = (world.snapshot(), world.loaded_again(&organizations).await);
    assert_eq!(followed.identity.users_count(), loaded.users_count());
    for user in [&root.user, &ada.user, &bob.user, &zed.user] {
        for action in Action::ALL {
            for resource in [
                Resource::Service(crm),
                Resource::Service(service(world)),
                Resource::Organization(organizations[1]),
                Resource::Administration(organizations[1]),
                Resource::Deployment,
            ] {
                let principal = as_principal(user);
                let one = followed.identity.check(&principal, action, resource);
                let other = loaded.check(&principal, action, resource);
                assert_eq!(one, other, "{} {action} {resource:?}", user.username);
            }
        }
    }
}

pub async fn a_moved_user_leaves_the_old_organization_behind(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let zed = world.register("zed", "Zeta").await;
    let bob = world.member("bob", &ada).await;
    let (old, bob_key) = (as_principal(&bob.user), UserKey::Id(bob.user.id));
    let moved = world.auth.move_user(&old, bob_key, "Zeta", None).await.expect("a user may move");
    assert_eq!(moved.user.organization, zed.user.organization);
    assert!(!moved.user.is_active, "until an administrator there approves");
    assert_eq!(moved.user.groups, [zed.groups[1].id]);
    let refused = world.auth.users(&old, None, None).await;
    assert!(refused.is_err(), "what was proven for the old organization is over: {refused:?}");
    let gone = world.auth.user(&as_principal(&ada.user), bob_key).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })), "got {gone:?}");

    let cy = world.member("cy", &ada).await;
    let cy_key = UserKey::Id(cy.user.id);
    let moved = world.auth.move_user(&as_principal(&cy.user), cy_key, "Own", None).await.expect("he may");
    assert!(moved.user.is_active);
    assert!(moved.groups.iter().any(|group| group.is_organization_admin()));
}

pub async fn a_deleted_user_is_gone(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    world.load(organization_of(&ada)).await;
    let key = UserKey::Id(bob.user.id);
    world.auth.delete_user(&as_principal(&ada.user), key).await.expect("an admin may");
    assert!(world.snapshot().identity.user(bob.user.id).is_none());
    assert!(matches!(world.sign_in("bob", PASSWORD).await, Err(Error::WrongCredentials)));
    let refused = world.auth.users(&as_principal(&bob.user), None, None).await;
    assert!(matches!(refused, Err(Error::NotSignedIn)), "got {refused:?}");
    let refused = world.auth.delete_user(&as_principal(&ada.user), UserKey::Id(ada.user.id)).await;
    assert!(matches!(refused, Err(Error::Conflict { .. })), "got {refused:?}");
}
