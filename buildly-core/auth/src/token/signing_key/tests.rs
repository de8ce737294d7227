use buildly_model::system::System;
use jsonwebtoken::crypto;

use super::*;

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa];

fn stored(algorithm: Algorithm, key: &DeploymentKey) -> StoredKey {
    PrivateKey::generate(algorithm)
        .and_then(|private| private.store(1, Timestamp::EPOCH, Timestamp::EPOCH, key, &System))
        .unwrap()
}

#[test]
fn a_stored_key_opens_signs_and_its_public_part_verifies() {
    let deployment_key = DeploymentKey::generate(&System);
    for algorithm in ALGORITHMS {
        let stored = stored(algorithm, &deployment_key);
        let private = PrivateKey::open(&stored, &deployment_key).unwrap();
        let signature = crypto::sign(b"message", private.encoding_key(), algorithm.into()).unwrap();
        let public = parse_public(algorithm, &stored.public).unwrap();
        let verifies =
            |message: &[u8]| crypto::verify(&signature, message, &public, algorithm.into()).unwrap();
        assert!(verifies(b"message"), "{algorithm}");
        assert!(!verifies(b"massage"), "{algorithm}");
    }
}

#[test]
fn a_key_sealed_under_another_deployment_key_is_refused() {
    let key = stored(Algorithm::EdDsa, &DeploymentKey::generate(&System));
    let refused = PrivateKey::open(&key, &DeploymentKey::generate(&System)).err();
    assert!(matches!(refused, Some(KeyError::Sealed(_))), "got {refused:?}");
}

#[test]
fn a_sealed_key_does_not_open_in_the_row_of_another() {
    let deployment_key = DeploymentKey::generate(&System);
    let (first, second) =
        (stored(Algorithm::EdDsa, &deployment_key), stored(Algorithm::EdDsa, &deployment_key));
    let exchanged = StoredKey { sealed: second.sealed, ..first };
    assert!(PrivateKey::open(&exchanged, &deployment_key).is_err());
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    // RFC 7638 section 3.1: the key of the example, rebuilt as PKCS #1 DER.
    let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX\
                   jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaS\
                   qzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksIN\
                   HaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let mut integers = vec![0x02, 0x82, 0x01, 0x01, 0x00];
    integers.extend(URL_SAFE_NO_PAD.decode(modulus).unwrap());
    integers.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
    let mut der = vec![0x30, 0x82, 0x01, 0x0a];
    der.extend(integers);
    let jwk = Jwk::of(Algorithm::Rs256, &der).unwrap();
    assert_eq!(jwk.thumbprint().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let json = serde_json::to_value(&jwk).unwrap();
    assert_eq!((&json["kty"], &json["e"], &json["use"]), (&"RSA".into(), &"AQAB".into(), &"sig".into()));
}

#[test]
fn broken_public_parts_are_refused() {
    let deployment_key = DeploymentKey::generate(&System);
    for algorithm in ALGORITHMS {
        let public = stored(algorithm, &deployment_key).public;
        for length in 0..public.len() {
            assert_eq!(Jwk::of(algorithm, &public[..length]), None, "{algorithm} cut to {length}");
        }
    }
}
