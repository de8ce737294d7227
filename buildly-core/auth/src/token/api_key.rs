//! The text of API keys: `buildly_key_<id>_<secret>`, id in 32 hexadecimal digits.
//!
//! The id finds the stored hash without a search and may be shown; the secret has 256 bits,
//! so its SHA-256 is enough.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::{Identity, Principal, Proof, Random, Secret, Timestamp, TokenId};
use uuid::Uuid;

use super::{ApiKey, Refusal, SecretHash, ServiceAccount};

const PREFIX: &str = "buildly_key_";

/// Whether a text claims to be an API key.
pub(super) fn is_api_key(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// Draws the secret of a new key: its text to show once, and what is stored.
pub(super) fn draw(id: TokenId, random: &dyn Random) -> (Secret, SecretHash) {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let secret = URL_SAFE_NO_PAD.encode(bytes);
    let hash = SecretHash::of(secret.as_bytes());
    (Secret::new(format!("{PREFIX}{}_{secret}", id.as_uuid().simple())), hash)
}

/// The id of the key that a text claims to be.
pub(super) fn id_of(token: &str) -> Option<TokenId> {
    let (id, _) = token.strip_prefix(PREFIX)?.split_once('_')?;
    Uuid::try_parse(id).ok().map(TokenId::from_uuid)
}

/// The account and key that a text stands for, if the secret is right.
pub(super) fn find<'a>(
    snapshot: &'a super::Snapshot,
    token: &str,
) -> Result<(&'a ServiceAccount, &'a ApiKey), Refusal> {
    let rest = token.strip_prefix(PREFIX).ok_or(Refusal::Malformed)?;
    let (_, secret) = rest.split_once('_').ok_or(Refusal::Malformed)?;
    let found = id_of(token).and_then(|id| snapshot.api_key(id)).ok_or(Refusal::ApiKey)?;
    if found.1.secret.matches(secret.as_bytes()) { Ok(found) } else { Err(Refusal::ApiKey) }
}

/// Says who bears the key, if key and account are good now.
pub(super) fn verify(snapshot: &crate::Snapshot, token: &str, now: Timestamp) -> Result<Principal, Refusal> {
    let (_, key) = find(&snapshot.token, token)?;
    let account = holder(snapshot, key.id, now)?;
    Ok(Principal {
        identity: Identity::ServiceAccount(account.id),
        organization: Some(account.organization),
        session: None,
        expires_at: key.expires_at,
        proof: Proof { api_key: Some(key.id), ..Proof::NONE },
    })
}

/// The service account of a key, if key and account are good now.
pub(super) fn holder(
    snapshot: &crate::Snapshot,
    key: TokenId,
    now: Timestamp,
) -> Result<&ServiceAccount, Refusal> {
    let (account, key) = snapshot.token.api_key(key).ok_or(Refusal::ApiKey)?;
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(Refusal::Expired);
    }
    let organization_stands = snapshot.identity.organization(account.organization).is_some();
    if account.is_active && organization_stands { Ok(account) } else { Err(Refusal::ApiKey) }
}
