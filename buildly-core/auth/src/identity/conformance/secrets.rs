//! Passwords, and secrets that are used once.

use std::time::Duration;

use argon2::password_hash::{PasswordHasher as _, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use buildly_journal::{Event, Part};
use buildly_model::system::System;
use buildly_model::{Principal, Secret};
use serde_json::json;

use super::world::{PASSWORD, World, as_principal, registration};
use crate::Error;
use crate::identity::{Change, InvitationFault, PasswordHash};

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
    assert!(new.user.is_active && new.user.email_verified);
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

pub async fn an_address_is_verified_once(world: &World) {
    let ada = as_principal(&world.register("ada", "Acme").await.user);
    world.take_mail();
    world.auth.request_email_verification(&ada).await.expect("she has an address");
    let secret = last_segment(&world.take_mail()[0].text);
    assert!(!world.auth.me(&ada).await.expect("she is there").user.email_verified);
    assert!(world.auth.verify_email(&secret).await.expect("it can be asked"));
    assert!(world.auth.me(&ada).await.expect("she is there").user.email_verified);
    assert!(!world.auth.verify_email(&secret).await.expect("it can be asked"), "once");
    assert!(!world.auth.verify_email("nonsense").await.expect("it can be asked"));
}

pub async fn guessing_is_slowed_down(world: &World) {
    world.register("ada", "Acme").await;
    world.register("zed", "Zeta").await;
    for _ in 0..5 {
        assert!(matches!(world.sign_in("ada", "wrong guess").await, Err(Error::WrongCredentials)));
    }
    let limited = world.sign_in("Ada", PASSWORD).await;
    let Err(Error::Limited { retry_after }) = limited else { panic!("got {limited:?}") };
    assert!(retry_after > Duration::ZERO);
    world.sign_in("zed", PASSWORD).await.expect("another account is not delayed");
    world.pass(retry_after + Duration::from_secs(1));
    world.sign_in("ada", PASSWORD).await.expect("after the wait it may be tried");
    world.sign_in("ada", PASSWORD).await.expect("the failures are forgotten");
}

pub async fn an_old_hash_is_made_anew(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let old = weaker_hash(PASSWORD);
    let change = Change::PasswordRehashed {
        user: ada.user.id,
        credential_version: ada.user.credential_version,
        password_hash: old.clone(),
    };
    let event =
        Event::new("auth.user.updated", ada.user.id, json!({}), &Principal::ANONYMOUS, &System, &System);
    let part = Part::of(ada.user.organization, change, event).map(crate::Change::Identity);
    world.commits.commit(part).await.expect("the password is still the first");
    let signed_in = world.sign_in("ada", PASSWORD).await.expect("it is the right password");
    assert_eq!(signed_in.credential_version, ada.user.credential_version, "tokens stay");
    let stored = world.storage.find_credentials("ada").await.expect("readable").expect("there").password_hash;
    assert_ne!(stored, old);
    assert!(stored.as_phc().contains("m=19456,t=2,p=1"));
    world.sign_in("ada", PASSWORD).await.expect("it is the same password");
}

fn weaker_hash(password: &str) -> PasswordHash {
    let params = Params::new(64, 1, 1, None).expect("allowed parameters");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: phc::PasswordHash =
        argon2.hash_password_with_salt(password.as_bytes(), b"sixteen bytes ab").expect("it hashes");
    PasswordHash::from_phc(hash.to_string())
}
