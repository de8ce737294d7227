//! Passwords, and secrets that are used once.

use std::time::Duration;

use buildly_model::{Principal, Secret};

use super::world::{PASSWORD, World, as_principal, registration};
use crate::Error;
use crate::identity::{InvitationFault, ProofPurpose, UserKey, UserUpdate};
use crate::token::{ClientCredentials, GrantError};

const DAY: Duration = Duration::from_secs(86_400);
const OTHER: &str = "other horse 9";

fn last_segment(link: &str) -> String {
    link.trim().rsplit(['/', '=']).next().unwrap_or_default().to_owned()
}

pub async fn an_invitation_counts_once_and_not_for_ever(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let admin = as_principal(&ada.user);
    let emails = ["New@example.org", "late@example.org", "ada@example.org"].map(str::to_owned);
    let links = world.auth.invite(&admin, &emails).await.expect("an admin may");
    assert_eq!(links.len(), 2, "a registered address is skipped");
    let secrets: Vec<String> = links.iter().map(|link| last_segment(link.expose())).collect();
    assert!(links[0].expose().ends_with(&format!("?token={}", secrets[0])));
    let mail = world.take_mail();
    assert_eq!((mail[0].to.as_str(), mail[0].subject.as_str()), ("New@example.org", "Application Access"));
    assert!(mail[0].text.contains(links[0].expose()));

    let (invitation, organization) = world.auth.check_invitation(&secrets[0]).await.expect("it is new");
    assert_eq!((invitation.email.as_str(), organization.name.as_str()), ("New@example.org", "Acme"));
    let mut invited = registration("new", "Something else");
    invited.invitation = Some(secrets[0].clone());
    let new = world.auth.register(&Principal::ANONYMOUS, &invited).await.expect("she is invited");
    assert!(new.user.is_active);
    assert!(!new.user.email_verified, "the administrator has seen the link, too");
    assert_eq!(new.user.organization, ada.user.organization);

    invited.username = "again".to_owned();
    let again = world.auth.register(&Principal::ANONYMOUS, &invited).await;
    assert!(
        matches!(&again, Err(Error::Invalid(fields)) if fields[0].field == "invitation_token"),
        "{again:?}"
    );
    world.pass(DAY * 3);
    for (secret, expected) in [
        (secrets[0].as_str(), InvitationFault::Used),
        (secrets[1].as_str(), InvitationFault::Expired),
        ("nonsense", InvitationFault::Unknown),
        ("", InvitationFault::Missing),
    ] {
        let fault = world.auth.check_invitation(secret).await;
        assert!(matches!(&fault, Err(Error::Invitation(fault)) if *fault == expected), "got {fault:?}");
    }
}

async fn reset_secret(world: &World, email: &str) -> String {
    world.take_mail();
    world.auth.request_password_reset(email, None).await.expect("anybody may ask");
    let mail = world.take_mail();
    assert_eq!(mail.len(), 1);
    assert_eq!(mail[0].subject, "Reset your password");
    last_segment(&mail[0].text)
}

pub async fn a_password_reset_counts_once_and_not_for_ever(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let zed = world.register("zed", "Zeta").await;
    let (uid, foreign) = (ada.user.id.to_string(), zed.user.id.to_string());
    let (old, password) = (Secret::new(PASSWORD), Secret::new(OTHER));
    let first = reset_secret(world, "ADA@example.org").await;
    let second = reset_secret(world, "ada@example.org").await;
    for (case, user, secret, expected) in [
        ("older of two", &uid, &first, false),
        ("of another user", &foreign, &second, false),
        ("no id", &"ada".to_owned(), &second, false),
        ("wrong", &uid, &"wrong".to_owned(), false),
        ("right", &uid, &second, true),
    ] {
        let counts = world.auth.check_password_reset(user, secret).await.expect("it can be asked");
        assert_eq!(counts, expected, "{case}");
    }
    let differing = world.auth.confirm_password_reset(&uid, &second, &password, &old).await;
    assert!(matches!(&differing, Err(Error::Invalid(fields)) if fields[0].field == "new_password2"));
    world.auth.confirm_password_reset(&uid, &second, &password, &password).await.expect("it counts");
    assert!(matches!(world.sign_in("ada", PASSWORD).await, Err(Error::WrongCredentials)));
    let signed_in = world.sign_in("ada", OTHER).await.expect("the new password counts");
    assert_eq!(signed_in.credential_version, ada.user.credential_version + 1);
    world.load(super::world::organization_of(&ada)).await;
    let facts = world.snapshot().identity.user(ada.user.id).expect("she is loaded").credential_version;
    assert_eq!(facts, signed_in.credential_version, "tokens of the old password are over");
    let again = world.auth.confirm_password_reset(&uid, &second, &password, &password).await;
    assert!(matches!(&again, Err(Error::Invalid(fields)) if fields[0].field == "token"), "got {again:?}");

    let late = reset_secret(world, "ada@example.org").await;
    world.pass(DAY + DAY);
    assert!(!world.auth.check_password_reset(&uid, &late).await.expect("it can be asked"));
}

pub async fn a_secret_that_two_use_at_once_counts_once(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let links = world.auth.invite(&as_principal(&ada.user), &["new@example.org".to_owned()]).await;
    let secret = last_segment(links.expect("an admin may")[0].expose());
    let invited = |name: &str| {
        let mut invited = registration(name, "Acme");
        invited.invitation = Some(secret.clone());
        invited
    };
    let (one, two) = (invited("one"), invited("two"));
    let nobody = Principal::ANONYMOUS;
    let (one, two) = tokio::join!(world.auth.register(&nobody, &one), world.auth.register(&nobody, &two));
    assert!(one.is_ok() != two.is_ok(), "exactly one joins: {one:?} {two:?}");
    let refused = one.and(two);
    assert!(
        matches!(&refused, Err(Error::Invalid(fields)) if fields[0].field == "invitation_token"),
        "got {refused:?}"
    );

    let (uid, secret) = (ada.user.id.to_string(), reset_secret(world, "ada@example.org").await);
    let passwords = [Secret::new("first horse 9"), Secret::new("second horse 9")];
    let confirm = |password| world.auth.confirm_password_reset(&uid, &secret, password, password);
    let (one, two) = tokio::join!(confirm(&passwords[0]), confirm(&passwords[1]));
    assert!(one.is_ok() != two.is_ok(), "exactly one counts: {one:?} {two:?}");
    let mut won = 0;
    for password in ["first horse 9", "second horse 9"] {
        won += u32::from(world.sign_in("ada", password).await.is_ok());
    }
    assert_eq!(won, 1);
}

pub async fn a_link_ends_with_the_address_that_it_went_to(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let (uid, password) = (bob.user.id.to_string(), Secret::new(OTHER));
    let written_before = reset_secret(world, "bob@example.org").await;
    let update = UserUpdate { email: Some("robert@example.org".to_owned()), ..UserUpdate::default() };
    let key = UserKey::Id(bob.user.id);
    world.auth.update_user(&as_principal(&ada.user), key, &update).await.expect("an admin may");
    // As of a request that had read the old address.
    let part = world.auth.proof_part(&bob.user, ProofPurpose::PasswordReset, &Secret::new("late"));
    world.commits.commit(part.map(crate::Change::Identity)).await.expect("there is such a user");
    for secret in [written_before.as_str(), "late"] {
        assert!(!world.auth.check_password_reset(&uid, secret).await.expect("it can be asked"), "{secret}");
        let refused = world.auth.confirm_password_reset(&uid, secret, &password, &password).await;
        assert!(
            matches!(&refused, Err(Error::Invalid(fields)) if fields[0].field == "token"),
            "{secret}: {refused:?}"
        );
    }
    world.sign_in("bob", PASSWORD).await.expect("the password stands");
    let new = reset_secret(world, "robert@example.org").await;
    assert!(world.auth.check_password_reset(&uid, &new).await.expect("it can be asked"));
}

pub async fn a_refresh_token_of_an_older_password_is_worth_nothing(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let (principal, nobody) = (as_principal(&ada.user), ClientCredentials::default());
    let issued = world.auth.open_session("ada", &Secret::new(PASSWORD), None).await.expect("a session");
    let refresh = issued.refresh_token.expect("a person gets one");
    let is_active = async |token: &Secret| {
        let found = world.auth.introspect(&nobody, &principal, token.expose()).await;
        found.expect("it can be asked").active
    };
    assert!(is_active(&refresh).await);
    let password = UserUpdate { password: Some(Secret::new(OTHER)), ..UserUpdate::default() };
    let key = UserKey::Id(ada.user.id);
    world.auth.update_user(&principal, key, &password).await.expect("an admin may");
    assert!(!is_active(&refresh).await && !is_active(&issued.access_token).await);
    assert!(matches!(world.auth.refresh_session(&refresh).await, Err(GrantError::InvalidGrant(_))));
}

pub async fn asking_for_an_unknown_address_reads_the_same(world: &World) {
    world.register("ada", "Acme").await;
    world.register("bob", "Acme").await;
    world.take_mail();
    for email in ["nobody@example.org", "bob@example.org"] {
        world.auth.request_password_reset(email, None).await.expect("the same answer");
        assert!(world.take_mail().is_empty(), "{email} is unknown or not active");
    }
    let refused = world.auth.request_password_reset("no address", None).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "got {refused:?}");
}

async fn is_verified(world: &World, principal: &Principal) -> bool {
    world.auth.me(principal).await.expect("she is there").user.email_verified
}

/// The secret of the only mail, which verifies that address.
fn verification_secret(world: &World, address: &str) -> String {
    let mail = world.take_mail();
    assert_eq!(mail.len(), 1, "{mail:?}");
    assert_eq!((mail[0].to.as_str(), mail[0].subject.as_str()), (address, "Verify your address"));
    last_segment(&mail[0].text)
}

pub async fn an_address_is_verified_once_and_until_it_changes(world: &World) {
    let view = world.register("ada", "Acme").await;
    let (ada, key) = (as_principal(&view.user), UserKey::Id(view.user.id));
    world.take_mail();
    world.auth.request_email_verification(&ada).await.expect("she has an address");
    let secret = verification_secret(world, "ada@example.org");
    assert!(!is_verified(world, &ada).await);
    assert!(world.auth.verify_email(&secret).await.expect("it can be asked"));
    assert!(is_verified(world, &ada).await);
    assert!(!world.auth.verify_email(&secret).await.expect("it can be asked"), "once");
    assert!(!world.auth.verify_email("nonsense").await.expect("it can be asked"));

    let move_to = |email| world.auth.move_user(&ada, key, "Acme", Some(email));
    move_to("ADA@example.org").await.expect("she may");
    assert!(is_verified(world, &ada).await && world.take_mail().is_empty(), "it is the same address");
    for (number, email) in ["countess@example.org", "lovelace@example.org"].into_iter().enumerate() {
        if number == 0 {
            move_to(email).await.expect("she may");
        } else {
            let update = UserUpdate { email: Some(email.to_owned()), ..UserUpdate::default() };
            world.auth.update_user(&ada, key, &update).await.expect("an admin may");
        }
        assert!(!is_verified(world, &ada).await, "{email}");
        let secret = verification_secret(world, email);
        assert!(world.auth.verify_email(&secret).await.expect("it can be asked"), "{email}");
        assert!(is_verified(world, &ada).await, "{email}");
    }
    world.auth.request_email_verification(&ada).await.expect("she has an address");
    let secret = verification_secret(world, "lovelace@example.org");
    move_to("").await.expect("she may have none");
    assert!(!world.auth.verify_email(&secret).await.expect("it can be asked"), "it went elsewhere");
    assert!(world.take_mail().is_empty());
}
