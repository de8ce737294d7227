//! Nothing crosses an organization.

use buildly_model::Principal;

use super::world::{World, as_principal, organization_of};
use crate::Error;
use crate::identity::{GroupKey, GroupUpdate, OrganizationUpdate, ProfileUpdate, UserKey, UserUpdate};

pub async fn a_stranger_sees_and_changes_nothing(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let zed = world.register("zed", "Zeta").await;
    let (auth, stranger) = (&world.auth, as_principal(&zed.user));
    let (user, group) = (UserKey::Number(ada.user.number), GroupKey::Number(ada.groups[1].number));
    let acme = organization_of(&ada);
    let rename = UserUpdate {
        profile: ProfileUpdate { first_name: Some("Hacked".to_owned()), ..ProfileUpdate::default() },
        ..UserUpdate::default()
    };
    let own = UserUpdate { groups: Some(vec![group]), ..UserUpdate::default() };
    let into =
        GroupUpdate { name: Some("Mine".to_owned()), organization: Some(acme), ..GroupUpdate::default() };
    let called = OrganizationUpdate { name: Some("Taken".to_owned()), ..OrganizationUpdate::default() };
    let profile = rename.profile.clone();
    let zed_key = UserKey::Id(zed.user.id);
    let refusals = [
        ("reads a user", auth.user(&stranger, user).await.err()),
        ("changes a user", auth.update_user(&stranger, user, &rename).await.err()),
        ("changes a profile", auth.update_profile(&stranger, user, profile, None, None).await.err()),
        ("moves a user", auth.move_user(&stranger, user, "Zeta", None).await.err()),
        ("removes a user", auth.delete_user(&stranger, user).await.err()),
        ("reads a group", auth.group(&stranger, group).await.err()),
        ("makes a group", auth.create_group(&stranger, &into).await.err()),
        ("changes a group", auth.update_group(&stranger, group, &GroupUpdate::default()).await.err()),
        ("removes a group", auth.delete_group(&stranger, group).await.err()),
        ("joins a group", auth.update_user(&stranger, zed_key, &own).await.err()),
        ("reads the organization", auth.organization(&stranger, acme).await.err()),
        ("changes the organization", auth.update_organization(&stranger, acme, &called).await.err()),
        ("removes the organization", auth.delete_organization(&stranger, acme).await.err()),
        ("writes to everybody", auth.notify(&stranger, acme, "hello").await.err()),
        ("makes an organization", auth.create_organization(&stranger, &called).await.err()),
    ];
    for (case, refusal) in refusals {
        let is_refused =
            matches!(refusal, Some(Error::Forbidden(_) | Error::NotFound { .. } | Error::Invalid(_)));
        assert!(is_refused, "{case}: got {refusal:?}");
    }
    let seen = auth.users(&stranger, None, None).await.expect("he sees his own").items;
    assert!(seen.iter().all(|view| view.user.id == zed.user.id) && seen.len() == 1);
    assert!(auth.users(&stranger, Some(acme), None).await.expect("an empty list").items.is_empty());
    let groups = auth.groups(&stranger, None).await.expect("he sees his own").items;
    assert!(groups.iter().all(|group| group.organization == zed.user.organization));
    let organizations = auth.organizations(&stranger, None).await.expect("he sees his own").items;
    assert_eq!(organizations.iter().map(|one| one.id).collect::<Vec<_>>(), [organization_of(&zed)]);
    assert!(auth.names(&stranger, &[ada.user.id]).await.expect("an empty map").is_empty());
    let again = auth.user(&as_principal(&ada.user), user).await.expect("she is there");
    assert_eq!(again, ada, "nothing changed");

    let forged = Principal { organization: Some(acme), ..stranger };
    let refused = auth.users(&forged, None, None).await;
    assert!(refused.is_err(), "a claim that does not fit the user counts for nothing: {refused:?}");
}

pub async fn a_read_only_member_changes_nothing(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let (auth, member) = (&world.auth, as_principal(&bob.user));
    let acme = organization_of(&ada);
    let (own, admins) = (UserKey::Id(bob.user.id), GroupKey::Id(ada.groups[0].id));
    let join = UserUpdate { groups: Some(vec![admins]), ..UserUpdate::default() };
    let group =
        GroupUpdate { name: Some("Mine".to_owned()), organization: Some(acme), ..GroupUpdate::default() };
    let named =
        OrganizationUpdate { description: Some(Some("by bob".to_owned())), ..OrganizationUpdate::default() };
    let refusals = [
        ("changes the own account as an admin would", auth.update_user(&member, own, &join).await.err()),
        ("makes a group", auth.create_group(&member, &group).await.err()),
        ("changes a group", auth.update_group(&member, admins, &group).await.err()),
        ("removes a group", auth.delete_group(&member, admins).await.err()),
        ("changes the organization", auth.update_organization(&member, acme, &named).await.err()),
        ("invites", auth.invite(&member, &["new@example.org".to_owned()]).await.err()),
        ("writes to everybody", auth.notify(&member, acme, "hello").await.err()),
        ("lists organization types", auth.organization_types(&member).await.err()),
        ("makes a consortium", auth.save_consortium(&member, None, Some("Union"), None).await.err()),
    ];
    for (case, refusal) in refusals {
        assert!(matches!(refusal, Some(Error::Forbidden(_))), "{case}: got {refusal:?}");
    }
    let update = ProfileUpdate { last_name: Some("Builder".to_owned()), ..ProfileUpdate::default() };
    let view = auth.update_profile(&member, own, update, None, None).await.expect("the own profile is his");
    assert_eq!(view.user.last_name, "Builder");
    assert_eq!(auth.users(&member, None, None).await.expect("he sees everybody").items.len(), 2);
}

pub async fn nobody_signed_in_is_told_so(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let (auth, nobody) = (&world.auth, Principal::ANONYMOUS);
    let key = UserKey::Id(ada.user.id);
    let refusals = [
        ("lists users", auth.users(&nobody, None, None).await.err()),
        ("reads a user", auth.user(&nobody, key).await.err()),
        ("changes a user", auth.update_user(&nobody, key, &UserUpdate::default()).await.err()),
        (
            "changes a profile",
            auth.update_profile(&nobody, key, ProfileUpdate::default(), None, None).await.err(),
        ),
        ("moves a user", auth.move_user(&nobody, key, "Zeta", None).await.err()),
        ("lists groups", auth.groups(&nobody, None).await.err()),
        ("lists organizations", auth.organizations(&nobody, None).await.err()),
        ("lists partners", auth.partners(&nobody).await.err()),
        ("writes to everybody", auth.notify(&nobody, organization_of(&ada), "hello").await.err()),
    ];
    for (case, refusal) in refusals {
        assert!(matches!(refusal, Some(Error::NotSignedIn)), "{case}: got {refusal:?}");
    }
}
