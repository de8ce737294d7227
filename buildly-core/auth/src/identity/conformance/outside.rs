//! Signing in by what an outside provider vouches for.

use std::sync::Arc;

use buildly_model::{Action, Actions, Principal, Secret};

use super::world::{PASSWORD, World, as_principal, organization_of};
use crate::identity::{
    GroupKey, GroupUpdate, OutsideIdentity, Scope, Settings, User, UserKey, UserUpdate, UserView,
};
use crate::{Auth, Error};

const ISSUER: &str = "https://login.example.org";

fn outside(subject: &str) -> OutsideIdentity {
    OutsideIdentity {
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        username: Some("grace".to_owned()),
        email: Some("grace@example.org".to_owned()),
        email_verified: true,
        first_name: "Grace".to_owned(),
        last_name: "Hopper".to_owned(),
        organization: "Acme".to_owned(),
        groups: None,
    }
}

/// Operations that trust the issuer with addresses.
fn trusting(world: &World) -> Auth {
    let settings = Settings { issuers_trusted_with_email: vec![ISSUER.to_owned()], ..Settings::default() };
    world.auth.clone().with_settings(settings)
}

/// Who is signed in by this.
async fn signed_in(auth: &Auth, outside: &OutsideIdentity) -> Result<(Principal, User), Error> {
    let issued = auth.open_session_of(outside).await?;
    let principal = auth.authenticate(issued.access_token.expose()).await?;
    let user = auth.me(&principal).await?.user;
    Ok((principal, user))
}

async fn has_verified(world: &World, user: &UserView) {
    let part = |next: User| {
        let principal = as_principal(&next);
        let event = world.auth.event(&principal, "auth.user.updated", next.id, serde_json::json!({}));
        let change = crate::identity::Change::UserUpdated(Box::new(next.clone()));
        buildly_journal::Part::of(next.organization, change, event)
    };
    let next = User { email_verified: true, ..user.user.clone() };
    world.auth.commit_part(part(next)).await.expect("nobody changed it meanwhile");
}

pub async fn an_outside_identity_is_one_user_however_often_it_signs_in(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let (principal, user) = signed_in(&world.auth, &outside("1")).await.expect("she is vouched for");
    assert_eq!(principal.organization, ada.user.organization);
    assert_eq!((user.username.as_str(), user.email.as_str()), ("grace", "grace@example.org"));
    assert!(user.is_active && !user.is_superuser && user.email_verified);
    assert_eq!(user.groups, world.auth.default_groups(organization_of(&ada)).await.expect("they are there"));

    let renamed = OutsideIdentity { username: Some("other".to_owned()), email: None, ..outside("1") };
    let (_, again) = signed_in(&world.auth, &renamed).await.expect("she is vouched for");
    assert_eq!(again.id, user.id, "the subject says who it is, whatever else changes");

    for (case, other) in [
        ("another subject", outside("2")),
        ("another issuer", OutsideIdentity { issuer: "https://evil.example.org".to_owned(), ..outside("1") }),
    ] {
        let (_, other) = signed_in(&world.auth, &other).await.expect("it is vouched for");
        assert_ne!(other.id, user.id, "{case}");
        assert!(other.username.starts_with("grace-"), "{case}: {}", other.username);
    }
}

pub async fn two_first_sign_ins_at_once_make_one_user(world: &World) {
    world.register("ada", "Acme").await;
    let identity = outside("1");
    let (one, two) = tokio::join!(signed_in(&world.auth, &identity), signed_in(&world.auth, &identity));
    assert_eq!(one.expect("vouched for").1.id, two.expect("vouched for").1.id);
}

pub async fn an_address_takes_over_nobodys_account(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let as_bob = OutsideIdentity { email: Some("BOB@example.org".to_owned()), ..outside("b") };
    let root = world.superuser().await;
    let as_root = OutsideIdentity {
        email: Some("root@example.org".to_owned()),
        organization: "default organization".to_owned(),
        ..outside("r")
    };
    for user in [&bob, &root] {
        has_verified(world, user).await;
    }
    let (plain, trusting) = (world.auth.clone(), trusting(world));
    let unverified = OutsideIdentity { email_verified: false, ..as_bob.clone() };
    let elsewhere = OutsideIdentity { organization: "default organization".to_owned(), ..as_bob.clone() };
    let stranger = OutsideIdentity { issuer: "https://evil.example.org".to_owned(), ..as_bob.clone() };
    for (case, auth, identity) in [
        ("nobody trusts the issuer with addresses", &plain, &as_bob),
        ("the issuer has not verified it", &trusting, &unverified),
        ("an issuer of another organization", &trusting, &elsewhere),
        ("an issuer that is not trusted with addresses", &trusting, &stranger),
        ("an account with power over the deployment", &trusting, &as_root),
    ] {
        let identity = OutsideIdentity { subject: case.to_owned(), ..identity.clone() };
        let (_, user) = signed_in(auth, &identity).await.expect("a user of its own");
        assert!(user.id != bob.user.id && user.id != root.user.id, "{case}");
        let key = UserKey::Id(user.id);
        world.auth.delete_user(&as_principal(&root.user), key).await.expect("a superuser may");
    }
    let linked = signed_in(&trusting, &as_bob).await.expect("verified on both sides, and trusted");
    assert_eq!(linked.1.id, bob.user.id);
    world.sign_in("bob", PASSWORD).await.expect("the password stands");
    let later = signed_in(&plain, &as_bob).await.expect("it is linked now");
    assert_eq!(later.1.id, bob.user.id);
}

pub async fn an_address_that_its_account_never_verified_is_not_followed(world: &World) {
    // Somebody registers with the address of whom they expect, and knows the password.
    let ada = world.register("ada", "Acme").await;
    let trap = world.member("grace", &ada).await;
    let (_, user) = signed_in(&trusting(world), &outside("1")).await.expect("she is vouched for");
    assert_ne!(user.id, trap.user.id);
}

pub async fn who_is_switched_off_signs_in_nowhere(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let admin = as_principal(&ada.user);
    let (_, user) = signed_in(&world.auth, &outside("1")).await.expect("she is vouched for");
    let off = UserUpdate { is_active: Some(false), ..UserUpdate::default() };
    world.auth.update_user(&admin, UserKey::Id(user.id), &off).await.expect("an admin may");
    let refused = world.auth.open_session_of(&outside("1")).await;
    assert!(matches!(refused, Err(Error::AwaitingApproval)), "{refused:?}");

    let bob = world.member("bob", &ada).await;
    has_verified(world, &bob).await;
    world.auth.update_user(&admin, UserKey::Id(bob.user.id), &off).await.expect("an admin may");
    let as_bob = OutsideIdentity { email: Some(bob.user.email.clone()), ..outside("b") };
    let refused = trusting(world).open_session_of(&as_bob).await;
    assert!(matches!(refused, Err(Error::AwaitingApproval)), "no second account beside it: {refused:?}");
}

pub async fn a_user_without_a_password_gets_none_by_mail_or_by_hand(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let (principal, user) = signed_in(&world.auth, &outside("1")).await.expect("she is vouched for");
    for password in ["", "!", PASSWORD] {
        let refused = world.sign_in("grace", password).await;
        assert!(matches!(refused, Err(Error::WrongCredentials)), "{password:?}: {refused:?}");
    }
    world.take_mail();
    world.auth.request_password_reset("grace@example.org", None).await.expect("anybody may ask");
    assert!(world.take_mail().is_empty(), "it would outlive the provider's word");
    let own = UserUpdate { password: Some(Secret::new(PASSWORD)), ..UserUpdate::default() };
    let refused = world.auth.change_user(&principal, UserKey::Id(user.id), &own, true).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    let admin = as_principal(&ada.user);
    world.auth.update_user(&admin, UserKey::Id(user.id), &own).await.expect("an administrator may");
    world.sign_in("grace", PASSWORD).await.expect("now there is one");
}

pub async fn groups_follow_the_provider_but_never_beyond_the_organization(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let root = world.superuser().await;
    let admin = as_principal(&ada.user);
    let make = async |principal: &Principal, name: &str, organization| {
        let update = GroupUpdate {
            name: Some(name.to_owned()),
            organization,
            permissions: Some(Actions::READ.with(Action::Create)),
            ..GroupUpdate::default()
        };
        world.auth.create_group(principal, &update).await.expect("an administrator may")
    };
    let sales = make(&admin, "Sales", ada.user.organization).await;
    let theirs = make(&as_principal(&root.user), "Theirs", root.user.organization).await;
    let groups = |names: &[&str]| OutsideIdentity {
        groups: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..outside("1")
    };
    let joined = async |names: &[&str]| signed_in(&world.auth, &groups(names)).await.expect("vouched for").1;
    let default = world.auth.default_groups(organization_of(&ada)).await.expect("they are there");
    let with_sales = joined(&["Sales", "Theirs", "Global Admin", "nobody's"]).await;
    assert!(with_sales.groups.contains(&sales.id) && !with_sales.groups.contains(&theirs.id));
    assert_eq!(with_sales.groups.len(), default.len() + 1);
    let key = UserKey::Id(with_sales.id);
    let left = joined(&[]).await;
    assert_eq!(left.groups, default, "what the provider no longer says is left");

    let all = UserUpdate { groups: Some(vec![GroupKey::Id(sales.id)]), ..UserUpdate::default() };
    world.auth.update_user(&admin, key, &all).await.expect("an admin may");
    let (_, kept) = signed_in(&world.auth, &outside("1")).await.expect("vouched for");
    assert_eq!(kept.groups, [sales.id], "a provider that says nothing of groups changes none");
    let elsewhere =
        OutsideIdentity { organization: "default organization".to_owned(), ..groups(&["Theirs", "Users"]) };
    let (_, same) = signed_in(&world.auth, &elsewhere).await.expect("vouched for");
    assert_eq!(same.groups, [sales.id], "a provider of another organization has no say here");
}

pub async fn a_provider_never_takes_the_last_administrator_away(world: &World) {
    let ada = world.register("ada", "Acme").await;
    has_verified(world, &ada).await;
    let as_ada =
        OutsideIdentity { email: Some(ada.user.email.clone()), groups: Some(Vec::new()), ..outside("a") };
    let (_, user) = signed_in(&trusting(world), &as_ada).await.expect("she is signed in all the same");
    assert_eq!((user.id, user.groups.len()), (ada.user.id, ada.user.groups.len()));
}

pub async fn an_identity_that_cannot_be_taken_is_refused_by_its_field(world: &World) {
    world.register("ada", "Acme").await;
    let long = "x".repeat(256);
    for (field, identity) in [
        ("issuer", OutsideIdentity { issuer: String::new(), ..outside("1") }),
        ("subject", OutsideIdentity { subject: long.clone(), ..outside("1") }),
        ("subject", outside("nul\0l")),
        ("organization", OutsideIdentity { organization: "Nowhere".to_owned(), ..outside("1") }),
        ("first_name", OutsideIdentity { first_name: "two\nlines".to_owned(), ..outside("1") }),
    ] {
        let refused = world.auth.open_session_of(&identity).await;
        let named = matches!(&refused, Err(Error::Invalid(fields)) if fields[0].field == field);
        assert!(named, "{field}: {refused:?}");
    }
    let odd = OutsideIdentity {
        username: Some("no name!".to_owned()),
        email: Some("none".to_owned()),
        ..outside("1")
    };
    let (_, user) = signed_in(&world.auth, &odd).await.expect("what is only wished for may be wrong");
    assert_eq!((user.username.as_str(), user.email.as_str(), user.email_verified), ("none", "", false));
}

pub async fn a_deleted_user_leaves_no_outside_identity_behind(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let (_, user) = signed_in(&world.auth, &outside("1")).await.expect("she is vouched for");
    let admin = as_principal(&ada.user);
    world.auth.delete_user(&admin, UserKey::Id(user.id)).await.expect("an admin may");
    let store: Arc<dyn crate::Store> = world.storage.clone();
    assert_eq!(store.find_outside_identity(ISSUER, "1").await.expect("it can be asked"), None);
    let (_, new) = signed_in(&world.auth, &outside("1")).await.expect("she is vouched for");
    assert_ne!(new.id, user.id);
    assert!(store.find_user(Scope::Deployment, UserKey::Id(user.id)).await.expect("readable").is_none());
}
