//! What is written is read back, and what must not be written is refused.

use buildly_journal::{Event, Part};
use buildly_model::system::System;
use buildly_model::{Principal, StoreError, UserId};
use serde_json::json;

use super::world::{PASSWORD, World, as_principal, organization_of, registration};
use crate::identity::{
    Change, Group, GroupKey, GroupUpdate, OrganizationUpdate, PasswordHash, Place, Profile, ProfileUpdate,
    Scope, User, UserKey, UserUpdate,
};
use crate::token::{
    ApplicationGrant, ApplicationKey, ApplicationPatch, ClientType, NewApplication, NewServiceAccount,
    ServiceAccountPatch,
};

fn event() -> Event {
    Event::new("auth.user.updated", "test", json!({}), &Principal::ANONYMOUS, &System, &System)
}

async fn write(world: &World, part: Part<Change>) -> Result<(), StoreError> {
    world.commits.commit(part.map(crate::Change::Identity)).await.map(drop)
}

pub async fn a_user_is_read_back_as_written(world: &World) {
    let founder = world.register("ada", "Acme").await;
    let organization = organization_of(&founder);
    let now = world.now();
    let written = User {
        id: UserId::generate(now, &System),
        number: 0,
        organization: Some(organization),
        username: "Grüße.名前".to_owned(),
        email: "Grace@Example.org".to_owned(),
        email_verified: true,
        first_name: "Grace \u{1F600} 'quoted'".to_owned(),
        last_name: String::new(),
        is_active: true,
        is_superuser: true,
        credential_version: 7,
        profile: Profile {
            title: Some("mrs".to_owned()),
            contact_info: Some("desk\n4".to_owned()),
            privacy_disclaimer_accepted: true,
            tos_disclaimer_accepted: true,
            user_type: "Developer".to_owned(),
            survey_status: true,
            email_preferences: Some(json!({"news": true})),
            push_preferences: Some(json!([1, null])),
            user_timezone: Some("Europe/Berlin".to_owned()),
        },
        groups: founder.user.groups.clone(),
        version: 1,
        created_at: now,
        edited_at: now,
    };
    let password_hash = PasswordHash::from_phc("$argon2id$any");
    let change =
        Change::UserCreated { user: Box::new(written.clone()), password_hash: password_hash.clone() };
    write(world, Part::of(Some(organization), change, event())).await.expect("the user is new");

    let key = UserKey::Id(written.id);
    let found = world.storage.find_user(Scope::Deployment, key).await.expect("readable").expect("there");
    assert!(found.number > founder.user.number);
    assert_eq!(found, User { number: found.number, ..written.clone() });
    let by_number = world.storage.find_user(Scope::Organization(organization), UserKey::Number(found.number));
    assert_eq!(by_number.await.expect("readable"), Some(found.clone()));
    let by_mail = world.storage.users_with_email(" grace@example.ORG", 5).await.expect("readable");
    assert_eq!(by_mail, [found]);
    let credentials = world.storage.find_credentials("grÜSSe.名前").await.expect("readable");
    assert!(credentials.is_none(), "sharp s is not two letters s");
    let credentials = world.storage.find_credentials("GRÜßE.名前").await.expect("readable").expect("there");
    assert_eq!(credentials.user, written.id);
    assert_eq!(credentials.password_hash, password_hash);
    assert_eq!((credentials.is_active, credentials.credential_version), (true, 7));
}

pub async fn numbers_are_positive_and_never_given_twice(world: &World) {
    let root = world.superuser().await;
    let principal = as_principal(&root.user);
    let mut numbers = Vec::new();
    for name in ["one", "two"] {
        let update = GroupUpdate { name: Some(name.to_owned()), ..GroupUpdate::default() };
        let group = world.auth.create_group(&principal, &update).await.expect("a superuser may");
        world.auth.delete_group(&principal, GroupKey::Number(group.number)).await.expect("it is there");
        numbers.push(group.number);
    }
    assert!(0 < numbers[0] && numbers[0] < numbers[1], "{numbers:?}");
    assert!(root.user.number > 0);
}

pub async fn names_are_unique_without_case(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let organization = organization_of(&ada);
    let now = world.now();
    let id = UserId::generate(now, &System);
    let mut twin = User { id, username: "ADA".to_owned(), ..ada.user.clone() };
    let create = |user: &User| Change::UserCreated {
        user: Box::new(user.clone()),
        password_hash: PasswordHash::from_phc(PASSWORD),
    };
    let refused = write(world, Part::of(Some(organization), create(&twin), event())).await;
    assert!(matches!(refused, Err(StoreError::Taken { field: "username" })), "got {refused:?}");
    twin.username = "ada2".to_owned();
    write(world, Part::of(Some(organization), create(&twin), event())).await.expect("the name is free");

    let root = world.superuser().await;
    let update = OrganizationUpdate { name: Some(" aCME ".to_owned()), ..OrganizationUpdate::default() };
    let refused = world.auth.create_organization(&as_principal(&root.user), &update).await;
    assert!(
        matches!(&refused, Err(crate::Error::Invalid(fields)) if fields[0].field == "name"),
        "{refused:?}"
    );
}

pub async fn a_row_that_has_moved_on_is_not_overwritten(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let organization = ada.organization.clone().expect("she founded it");
    let part = |change| Part::of(Some(organization.id), change, event());
    let user = Change::UserUpdated(Box::new(User { last_name: "Byron".to_owned(), ..ada.user.clone() }));
    write(world, part(user.clone())).await.expect("the first writer wins");
    let group = Group { name: "Chiefs".to_owned(), ..ada.groups[0].clone() };
    write(world, part(Change::GroupUpdated(group.clone()))).await.expect("the first writer wins");
    let renamed = Change::OrganizationUpdated(Box::new(organization.clone()));
    write(world, part(renamed.clone())).await.expect("the first writer wins");
    for (case, change) in [("user", user), ("group", Change::GroupUpdated(group)), ("organization", renamed)]
    {
        let second = write(world, part(change)).await;
        assert!(matches!(second, Err(StoreError::Stale)), "{case}: got {second:?}");
    }
}

pub async fn a_group_of_another_organization_cannot_be_joined(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let zed = world.register("zed", "Zeta").await;
    let user = User { groups: zed.user.groups.clone(), ..ada.user.clone() };
    let part = Part::of(ada.user.organization, Change::UserUpdated(Box::new(user)), event());
    let refused = write(world, part).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })), "got {refused:?}");
    let kept = world.storage.find_user(Scope::Deployment, UserKey::Id(ada.user.id)).await;
    assert_eq!(kept.expect("readable"), Some(ada.user), "nothing of the unit was written");
}

pub async fn lists_are_in_order_and_end_where_asked(world: &World) {
    let zoe = world.register("zoe", "Zeta").await;
    for (username, organization) in [("Bob", "Zeta"), ("ann", "Zeta"), ("Cy", "Acme")] {
        world.register(username, organization).await;
    }
    let scope = Scope::Organization(organization_of(&zoe));
    let users = world.storage.users(scope, None, 2).await.expect("readable");
    let names: Vec<&str> = users.iter().map(|user| user.first_name.as_str()).collect();
    assert_eq!(names, ["Bob", "ann"], "by given name, byte by byte, in both databases alike");
    assert_eq!(world.storage.users(Scope::Deployment, None, 10).await.expect("readable").len(), 4);
    let groups = world.storage.groups(Scope::Deployment, None, 10).await.expect("readable");
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["Admins", "Admins", "Users", "Users"]);
    let organizations = world.storage.organizations(Scope::Deployment, None, 1).await.expect("readable");
    assert_eq!(organizations.len(), 1);
    assert_eq!(organizations[0].name, "Acme");
    assert_eq!(world.storage.users_count(organization_of(&zoe)).await.expect("readable"), 3);
    let mut seen = Vec::new();
    while let Some(user) = {
        let last: Option<&User> = seen.last();
        let after = last.map(|last| Place { name: last.first_name.clone(), number: last.number });
        world.storage.users(scope, after.as_ref(), 1).await.expect("readable").pop()
    } {
        seen.push(user);
    }
    let names: Vec<&str> = seen.iter().map(|user| user.first_name.as_str()).collect();
    assert_eq!(names, ["Bob", "ann", "zoe"], "one after the other");
    let admins = Place { name: "Admins".to_owned(), number: i64::MAX };
    let rest = world.storage.groups(Scope::Deployment, Some(&admins), 10).await.expect("readable");
    let first = Place { name: rest[0].name.clone(), number: rest[0].number };
    assert_eq!(world.storage.groups(Scope::Deployment, Some(&first), 10).await.expect("readable"), rest[1..]);
    assert_eq!(rest.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["Users", "Users"]);
    let acme = Place { name: "Acme".to_owned(), number: 0 };
    let rest = world.storage.organizations(Scope::Deployment, Some(&acme), 10).await.expect("readable");
    assert_eq!(rest.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Zeta"]);
    let all = world.storage.users(Scope::Deployment, None, 10).await.expect("readable");
    let asked: Vec<UserId> =
        all.iter().map(|user| user.id).chain([UserId::generate(world.now(), &System)]).collect();
    for (case, scope, expected) in [("own", scope, 3), ("all", Scope::Deployment, 4)] {
        let mut found = world.storage.users_by_id(scope, &asked).await.expect("readable");
        found.sort_unstable_by_key(|user| user.number);
        assert_eq!(found.len(), expected, "{case}");
        assert_eq!(found[0], zoe.user, "{case}");
    }
    assert!(world.storage.users_by_id(Scope::Deployment, &[]).await.expect("readable").is_empty());
}

pub async fn changes_of_different_fields_at_once_are_all_kept(world: &World) {
    let root = world.superuser().await;
    let (root, auth) = (as_principal(&root.user), &world.auth);
    let bob = UserKey::Id(world.register("bob", "Acme").await.user.id);
    let [mail, name] = [
        UserUpdate { email: Some("robert@example.org".to_owned()), ..UserUpdate::default() },
        UserUpdate { username: Some("robert".to_owned()), ..UserUpdate::default() },
    ];
    let changed = tokio::join!(auth.update_user(&root, bob, &mail), auth.update_user(&root, bob, &name));
    assert!(changed.0.is_ok() && changed.1.is_ok(), "{changed:?}");
    let kept = auth.user(&root, bob).await.expect("he is there").user;
    assert_eq!((kept.username.as_str(), kept.email.as_str()), ("robert", "robert@example.org"));

    let new = NewServiceAccount { name: "nightly".to_owned(), ..NewServiceAccount::default() };
    let account = auth.create_service_account(&root, new).await.expect("an admin may").id;
    let off = ServiceAccountPatch { is_active: Some(false), ..ServiceAccountPatch::default() };
    let text =
        ServiceAccountPatch { description: Some("export".to_owned()), ..ServiceAccountPatch::default() };
    let changed = tokio::join!(
        auth.update_service_account(&root, account, off),
        auth.update_service_account(&root, account, text)
    );
    assert!(changed.0.is_ok() && changed.1.is_ok(), "{changed:?}");
    let kept = auth.service_account(&root, account).await.expect("it is there");
    assert_eq!((kept.is_active, kept.description.as_str()), (false, "export"));

    let new = NewApplication {
        client_id: None,
        name: "old".to_owned(),
        client_type: ClientType::Public,
        grant: ApplicationGrant::Password,
        redirect_uris: String::new(),
    };
    let key = ApplicationKey::Id(auth.create_application(&root, new).await.expect("a superuser may").0.id);
    let renamed = ApplicationPatch { name: Some("new".to_owned()), ..ApplicationPatch::default() };
    let uris = "https://app.example.org/".to_owned();
    let moved = ApplicationPatch { redirect_uris: Some(uris.clone()), ..ApplicationPatch::default() };
    let changed = tokio::join!(
        auth.update_application(&root, key, renamed),
        auth.update_application(&root, key, moved)
    );
    assert!(changed.0.is_ok() && changed.1.is_ok(), "{changed:?}");
    let kept = auth.application(&root, key).expect("it is there");
    assert_eq!((kept.name, kept.redirect_uris), ("new".to_owned(), uris));
}

pub async fn text_without_end_or_with_null_is_refused_by_its_field(world: &World) {
    let root = world.superuser().await;
    let (user, root, auth) = (UserKey::Id(root.user.id), as_principal(&root.user), &world.auth);
    let null = || "a\0b".to_owned();
    let organization = root.organization.expect("she belongs somewhere");
    let profile = |profile| UserUpdate { profile, ..UserUpdate::default() };
    let first_name = ProfileUpdate { first_name: Some(null()), ..ProfileUpdate::default() };
    let preferences = Some(Some(json!({"a": ["b\0"]})));
    let preferences = ProfileUpdate { email_preferences: preferences, ..ProfileUpdate::default() };
    let groups = UserUpdate { groups: Some(vec![GroupKey::Number(1); 101]), ..UserUpdate::default() };
    let industries = OrganizationUpdate { industries: Some(vec![null()]), ..OrganizationUpdate::default() };
    let group = GroupUpdate { name: Some(null()), ..GroupUpdate::default() };
    let account = NewServiceAccount { name: null(), ..NewServiceAccount::default() };
    let described =
        NewServiceAccount { name: "a".to_owned(), description: null(), ..NewServiceAccount::default() };
    let application = NewApplication {
        client_id: None,
        name: null(),
        client_type: ClientType::Public,
        grant: ApplicationGrant::Password,
        redirect_uris: String::new(),
    };
    let registered = registration("a\0b", "Acme");
    let invited = [null()];
    let refusals = [
        ("first_name", auth.update_user(&root, user, &profile(first_name)).await.err()),
        ("email_preferences", auth.update_user(&root, user, &profile(preferences)).await.err()),
        ("core_groups", auth.update_user(&root, user, &groups).await.err()),
        ("username", auth.register(&Principal::ANONYMOUS, &registered).await.err()),
        ("organization_name", auth.move_user(&root, user, "a\0b", None).await.err()),
        ("industries", auth.update_organization(&root, organization, &industries).await.err()),
        ("name", auth.create_group(&root, &group).await.err()),
        ("name", auth.create_organization_type(&root, "a\0b").await.err()),
        ("name", auth.create_partner(&root, "a\0b").await.err()),
        ("name", auth.save_consortium(&root, None, Some("a\0b"), None).await.err()),
        ("name", auth.create_service_account(&root, account).await.err()),
        ("description", auth.create_service_account(&root, described).await.err()),
        ("name", auth.create_application(&root, application).await.err()),
        ("emails", auth.invite(&root, &invited).await.err()),
        ("email", auth.request_password_reset("a\0b@example.org", None).await.err()),
        ("messages", auth.alert(&root, organization, &invited).await.err()),
    ];
    for (field, refusal) in refusals {
        let Some(crate::Error::Invalid(fields)) = refusal else { panic!("{field}: got {refusal:?}") };
        assert_eq!(fields[0].field, field);
    }
    assert!(matches!(world.sign_in("a\0b", PASSWORD).await, Err(crate::Error::WrongCredentials)));
    let named = auth.access_tokens(&root, Some("a\0b"), 0, 10).await.expect("nobody has that name");
    assert!(named.is_empty());
}

pub async fn small_resources_are_kept(world: &World) {
    let root = as_principal(&world.superuser().await.user);
    let auth = &world.auth;
    let made = auth.create_organization_type(&root, "Carrier").await.expect("an admin may");
    let organization = root.organization.expect("it has one");
    let having =
        |number| OrganizationUpdate { organization_type: Some(number), ..OrganizationUpdate::default() };
    let taken = having(Some(made.number));
    auth.update_organization(&root, organization, &taken).await.expect("there is such a type");
    let refused = auth.delete_organization_type(&root, made.number).await;
    assert!(matches!(refused, Err(crate::Error::Conflict { .. })), "an organization has it: {refused:?}");
    auth.update_organization(&root, organization, &having(None)).await.expect("it needs none");
    let twin = auth.create_organization_type(&root, "carrier").await;
    assert!(matches!(&twin, Err(crate::Error::Invalid(fields)) if fields[0].field == "name"), "{twin:?}");
    let renamed =
        auth.update_organization_type(&root, made.number, "Transporter").await.expect("it is there");
    assert_eq!((renamed.number, renamed.name.as_str()), (made.number, "Transporter"));
    auth.delete_organization_type(&root, made.number).await.expect("it is there");
    assert!(auth.organization_types(&root).await.expect("readable").items.is_empty());

    let own = root.organization.expect("it has one");
    let union =
        auth.save_consortium(&root, None, Some("Union"), Some(&[own])).await.expect("a superuser may");
    let union = auth.save_consortium(&root, Some(union.id), Some("Onion"), None).await.expect("it is there");
    assert_eq!(auth.consortia(&root, Some(own)).await.expect("readable").items, std::slice::from_ref(&union));
    auth.delete_consortium(&root, union.id).await.expect("it is there");
    assert!(auth.consortium(&root, union.id).await.is_err());

    let partner = auth.create_partner(&root, "Helper").await.expect("anybody may");
    let partner = auth.update_partner(&root, partner.id, "Helpers").await.expect("an admin may");
    assert_eq!(auth.partners(&root).await.expect("readable").items, std::slice::from_ref(&partner));
    auth.delete_partner(&root, partner.id).await.expect("an admin may");
    assert!(auth.partner(&root, partner.id).await.is_err());
}
