use aws_lc_rs::signature::KeyPair as _;

use super::*;
use crate::EventHash;

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::generate().unwrap()
}

#[test]
fn a_checkpoint_holds_under_its_own_key_only() {
    let (own, other) = (key(), key());
    let chain = Chain { organization: None, sequence: 7, hash: EventHash([9; 32]) };
    let checkpoint = Checkpoint::sign(&chain, Timestamp::EPOCH, &own);
    assert_eq!(checkpoint.verify(own.public_key().as_ref()), Ok(()));
    assert_eq!(checkpoint.verify(other.public_key().as_ref()), Err(CheckpointError::Signature));
}

#[test]
fn a_changed_checkpoint_does_not_hold() {
    let own = key();
    let chain = Chain { organization: None, sequence: 7, hash: EventHash([9; 32]) };
    let signed = Checkpoint::sign(&chain, Timestamp::EPOCH, &own);
    for (case, changed) in [
        ("sequence", Checkpoint { sequence: 6, ..signed.clone() }),
        ("hash", Checkpoint { hash: EventHash([8; 32]).to_string(), ..signed.clone() }),
        ("signature", Checkpoint { signature: "zz".to_owned(), ..signed.clone() }),
    ] {
        assert_eq!(changed.verify(own.public_key().as_ref()), Err(CheckpointError::Signature), "{case}");
    }
}
