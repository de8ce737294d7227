use aws_lc_rs::hkdf;
use buildly_model::system::System;

use super::*;

#[test]
fn what_was_sealed_opens_only_under_the_same_key_and_name() {
    let key = DeploymentKey::generate(&System);
    let sealed = key.seal("RS256 a", b"private", &System).unwrap();
    assert!(!sealed.windows(7).any(|window| window == b"private"));
    assert_eq!(key.open("RS256 a", &sealed).unwrap(), b"private");
    assert_eq!(key.open("RS256 b", &sealed), Err(UnsealError), "another name");
    assert_eq!(DeploymentKey::generate(&System).open("RS256 a", &sealed), Err(UnsealError), "another key");
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        assert_eq!(key.open("RS256 a", &changed), Err(UnsealError), "byte {place} changed");
    }
    for length in 0..sealed.len() {
        assert_eq!(key.open("RS256 a", &sealed[..length]), Err(UnsealError), "cut to {length}");
    }
}

#[test]
fn the_text_of_a_key_reads_back_and_nothing_else_does() {
    let key = DeploymentKey::generate(&System);
    let text = format!(" {}\n", key.to_base64().expose());
    assert_eq!(DeploymentKey::from_base64(&text).unwrap().0, key.0);
    for wrong in ["", "c2hvcnQ=", "not base64!", &"A".repeat(64)] {
        assert_eq!(DeploymentKey::from_base64(wrong).err(), Some(DeploymentKeyError), "{wrong}");
    }
    assert!(!format!("{key:?}").contains(key.to_base64().expose()));
}

#[test]
fn derived_keys_are_those_of_hkdf() {
    struct Bytes32;
    impl hkdf::KeyType for Bytes32 {
        fn len(&self) -> usize {
            32
        }
    }
    let key = DeploymentKey([7; 32]);
    let mut expected = [0; 32];
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[0; 32])
        .extract(&[7; 32])
        .expand(&[SEALING], Bytes32)
        .unwrap()
        .fill(&mut expected)
        .unwrap();
    assert_eq!(key.derive(SEALING), expected);
    assert_ne!(key.derive(SEALING), key.derive(SUCCESSION));
}

#[test]
fn a_deployment_key_is_64_hexadecimal_digits() {
    let read = |text: &str| DeploymentKey::from_hexadecimal(text).map(|key| key.0);
    assert_eq!(read(&"0f".repeat(32)), Some([15; 32]));
    assert_eq!(read(&format!(" {}\n", "A0".repeat(32))), Some([160; 32]));
    for wrong in ["", "0f", &"0f".repeat(33), &"0g".repeat(32), &"f".repeat(63)] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}
