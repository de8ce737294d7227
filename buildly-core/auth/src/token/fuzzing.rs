//! What the fuzzer asks of the token check: any bytes, as a token and as claims of one.

use std::sync::LazyLock;

use buildly_model::system::System;
use buildly_model::{ApplicationId, Identity, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use super::signing_key::PrivateKey;
use super::snapshot::Rows;
use super::{
    AUDIENCE, Algorithm, Application, ApplicationGrant, ClientType, DeploymentKey, Snapshot, StoredKey, jws,
    organization_of, verify,
};

const ISSUER: &str = "https://buildly.example";
const CLIENT: &str = "robot";
const ROBOT: ApplicationId = ApplicationId::from_uuid(Uuid::from_u128(7));

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

/// A deployment with one key and one application that may have tokens.
struct Deployment {
    key: StoredKey,
    private: PrivateKey,
    snapshot: crate::Snapshot,
}

static DEPLOYMENT: LazyLock<Option<Deployment>> = LazyLock::new(|| {
    let private = PrivateKey::generate(Algorithm::EdDsa).ok()?;
    let deployment_key = DeploymentKey::generate(&System);
    let key = private.store(1, Timestamp::EPOCH, Timestamp::EPOCH, &deployment_key, &System).ok()?;
    let robot = Application {
        id: ROBOT,
        number: 1,
        client_id: CLIENT.to_owned(),
        secret: None,
        name: String::new(),
        client_type: ClientType::Confidential,
        grant: ApplicationGrant::ClientCredentials,
        redirect_uris: String::new(),
        user: None,
        created_at: Timestamp::EPOCH,
    };
    let rows = Rows {
        keys: vec![key.clone()],
        issuers: vec![ISSUER.to_owned()],
        applications: vec![robot],
        ..Rows::default()
    };
    let snapshot = crate::Snapshot { token: Snapshot::of(rows).ok()?, ..crate::Snapshot::default() };
    Some(Deployment { key, private, snapshot })
});

/// Presents `bytes` as a token, and, if they are JSON, as the claims of a token that our own
/// key has signed.
///
/// # Panics
/// If a token is taken that should not be.
pub fn check_token(bytes: &[u8]) {
    assert!(DEPLOYMENT.is_some(), "the key of the deployment could not be made");
    let Some(Deployment { key, private, snapshot }) = &*DEPLOYMENT else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    assert!(verify(snapshot, text, now()).is_err(), "nobody signed this: {text}");
    assert!(organization_of(&snapshot.token, text).is_err(), "nobody signed this: {text}");

    let Ok(claims) = serde_json::from_str::<Value>(text) else { return };
    let Ok(token) = jws::sign(&claims, &key.id, key.algorithm, private) else { return };
    if let Ok(principal) = verify(snapshot, &token, now()) {
        assert_eq!(principal.identity, Identity::Application(ROBOT), "{claims}");
        let said = ["iss", "aud", "client_id", "token_type"].map(|name| claims.get(name));
        let expected = [ISSUER, AUDIENCE, CLIENT, "access"].map(Value::from);
        assert_eq!(said, expected.each_ref().map(Some), "{claims}");
        let end = claims.get("exp").and_then(Value::as_i64);
        assert!(end.is_some_and(|end| end > now().as_seconds()), "{claims}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_of_the_fuzzer_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/token");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 10, "{} files", files.len());
        for file in files {
            check_token(&std::fs::read(&file).unwrap());
        }
    }
}
