//! What guessing, and being refused, costs.

use std::time::Duration;

use argon2::password_hash::{PasswordHasher as _, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use buildly_journal::{Event, Part};
use buildly_model::system::System;
use buildly_model::{Principal, Secret};
use serde_json::json;

use super::world::{PASSWORD, World, as_principal, registration};
use crate::Error;
use crate::identity::throttle::{MAIL_DELAY_FIRST, MAIL_FREE};
use crate::identity::{Change, PasswordHash, UserKey, UserUpdate};

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

pub async fn mail_that_anybody_asks_for_is_slowed_down_alike_for_everybody(world: &World) {
    world.register("ada", "Acme").await;
    for _ in 0..20 {
        assert!(matches!(
            world.sign_in(" ", "wrong guess").await,
            Err(Error::WrongCredentials | Error::Limited { .. })
        ));
    }
    let mut answers = Vec::new();
    for email in ["ada@example.org", "nobody@example.org"] {
        world.take_mail();
        for _ in 0..MAIL_FREE {
            world.auth.request_password_reset(email, None).await.expect("a blank name holds up nobody");
        }
        let Err(Error::Limited { retry_after }) = world.auth.request_password_reset(email, None).await else {
            panic!("{email} is not limited")
        };
        answers.push(retry_after.as_secs());
    }
    assert_eq!(answers[0], answers[1], "nothing tells whether somebody has the address");
    world.pass(MAIL_DELAY_FIRST);
    world.auth.request_password_reset("ada@example.org", None).await.expect("after the wait it may be asked");
}

pub async fn a_refusal_costs_no_hash(world: &World) {
    let ada = world.register("ada", "Acme").await;
    let bob = world.member("bob", &ada).await;
    let closed = crate::identity::Settings { registration_is_open: false, ..world.auth.settings().clone() };
    let closed = world.auth.clone().with_settings(closed);
    let nobody = Principal::ANONYMOUS;
    let password = || Some(Secret::new("another horse 9"));
    for _ in 0..5 {
        assert!(matches!(world.sign_in("eve", "wrong guess").await, Err(Error::WrongCredentials)));
    }
    let asked = world.auth.identity.hasher.asked();
    let mut uninvited = registration("new", "Acme");
    uninvited.invitation = Some("nonsense".to_owned());
    let (reset, key) = (Secret::new("another horse 9"), UserKey::Id(ada.user.id));
    let by_bob = UserUpdate { password: password(), ..UserUpdate::default() };
    let leaving = UserUpdate { is_active: Some(false), ..by_bob.clone() };
    let refusals = [
        ("closed", closed.register(&nobody, &registration("new", "Elsewhere")).await.err()),
        ("not invited", world.auth.register(&nobody, &uninvited).await.err()),
        ("taken", world.auth.register(&nobody, &registration("ADA", "Acme")).await.err()),
        ("limited", world.sign_in("eve", "wrong guess").await.err()),
        ("too long", world.sign_in("zoe", &"x".repeat(2000)).await.err()),
        ("no link", {
            let uid = ada.user.id.to_string();
            world.auth.confirm_password_reset(&uid, "nonsense", &reset, &reset).await.err()
        }),
        ("not allowed", world.auth.update_user(&as_principal(&bob.user), key, &by_bob).await.err()),
        ("the last one", world.auth.update_user(&as_principal(&ada.user), key, &leaving).await.err()),
    ];
    for (case, refusal) in refusals {
        assert!(refusal.is_some(), "{case}");
    }
    assert_eq!(world.auth.identity.hasher.asked(), asked, "only what is not refused is hashed");
}

pub async fn strangers_who_register_keep_nobody_from_signing_in(world: &World) {
    world.register("ada", "Acme").await;
    let asked = world.auth.identity.hasher.asked();
    let strangers = (0..48).map(|number| {
        let (auth, stranger) = (world.auth.clone(), registration(&format!("stranger{number}"), "Acme"));
        tokio::spawn(async move { auth.register(&Principal::ANONYMOUS, &stranger).await })
    });
    let strangers: Vec<_> = strangers.collect();
    while world.auth.identity.hasher.asked() < asked + 8 {
        tokio::task::yield_now().await;
    }
    world.sign_in("ada", PASSWORD).await.expect("the password is right");
    let before_her = world.auth.identity.hasher.asked() - asked;
    assert!(before_her < 40, "{before_her} hashes were asked for before hers was done");
    world.take_mail();
    for stranger in strangers {
        stranger.await.expect("it ends").expect("registration is open");
    }
    let mails = world.take_mail().len() as u64;
    assert!(mails <= u64::from(MAIL_FREE), "{mails} mails: the administrator is told, not buried");
}

pub async fn a_sign_in_does_not_outlive_a_password_that_changes_meanwhile(world: &World) {
    let ada = world.register("ada", "Acme").await;
    assert!(world.sign_in("x", PASSWORD).await.is_err());
    let asked = world.auth.identity.hasher.asked();
    // The threads have something else to do first, so that the change overtakes the check.
    let others = (0..8).map(|number| {
        let auth = world.auth.clone();
        let other = async move { auth.sign_in(&format!("x{number}"), &Secret::new(PASSWORD), None).await };
        tokio::spawn(other)
    });
    let others: Vec<_> = others.collect();
    let auth = world.auth.clone();
    let signing_in = tokio::spawn(async move { auth.sign_in("ada", &Secret::new(PASSWORD), None).await });
    while world.auth.identity.hasher.asked() < asked + 9 {
        tokio::task::yield_now().await;
    }
    let change = Change::PasswordSet {
        user: ada.user.id,
        password_hash: PasswordHash::from_phc("$argon2id$other"),
        at: world.now(),
    };
    let event =
        Event::new("auth.user.updated", ada.user.id, json!({}), &Principal::ANONYMOUS, &System, &System);
    let part = Part::of(ada.user.organization, change, event).map(crate::Change::Identity);
    world.commits.commit(part).await.expect("she is there");
    let signed_in = signing_in.await.expect("it ends");
    assert!(
        signed_in.as_ref().is_ok_and(|user| user.credential_version == ada.user.credential_version)
            || matches!(signed_in, Err(Error::WrongCredentials)),
        "what was shown was the old password: {signed_in:?}"
    );
    for other in others {
        assert!(other.await.expect("it ends").is_err());
    }
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
