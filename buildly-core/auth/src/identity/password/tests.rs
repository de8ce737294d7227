use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, phc};
use argon2::{Algorithm, Argon2, Params, Version};
use buildly_model::Secret;
use buildly_model::system::System;

use super::{Hasher, Verdict};
use crate::identity::PasswordHash;

fn weaker_hash(password: &str) -> PasswordHash {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    let hash: phc::PasswordHash =
        argon2.hash_password_with_salt(password.as_bytes(), b"sixteen bytes ab").unwrap();
    PasswordHash::from_phc(hash.to_string())
}

#[tokio::test]
async fn only_the_right_password_is_right_and_an_old_hash_is_noticed() {
    let hasher = Hasher::new(Arc::new(System));
    let stored = hasher.hash(&Secret::new("correct horse")).await.unwrap();
    assert!(stored.as_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.as_phc());
    let old = weaker_hash("correct horse");
    let broken = PasswordHash::from_phc("no hash at all");
    for (case, password, against, expected) in [
        ("right", "correct horse", Some(&stored), Verdict::Right),
        ("wrong", "correct house", Some(&stored), Verdict::Wrong),
        ("empty", "", Some(&stored), Verdict::Wrong),
        ("made with weaker parameters", "correct horse", Some(&old), Verdict::RightButOld),
        ("wrong against weaker parameters", "correct house", Some(&old), Verdict::Wrong),
        ("stored hash unreadable", "correct horse", Some(&broken), Verdict::Wrong),
        ("no such user", "correct horse", None, Verdict::Wrong),
    ] {
        let verdict = hasher.verify(&Secret::new(password), against).await.unwrap();
        assert_eq!(verdict, expected, "{case}");
    }
}

#[tokio::test]
async fn two_hashes_of_one_password_differ() {
    let hasher = Hasher::new(Arc::new(System));
    let password = Secret::new("correct horse");
    let (one, two) = (hasher.hash(&password).await.unwrap(), hasher.hash(&password).await.unwrap());
    assert_ne!(one, two);
}
