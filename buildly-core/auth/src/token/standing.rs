//! Whether what proved a principal still counts.
//!
//! Asked for every token, and again for streams that stay open for hours: a session, password,
//! key, application, account or user that is gone ends them. Pure.

use buildly_model::{Identity, Principal, Timestamp};

use super::snapshot::SnapshotKey;
use super::{ApplicationGrant, Refusal, api_key};

/// Checks that everything `principal` was proven with still counts; its rights are another matter.
///
/// The principal's organization must be in the snapshot.
///
/// # Errors
/// The [`Refusal`] that its token or API key would meet now.
pub(crate) fn check(
    snapshot: &crate::Snapshot,
    principal: &Principal,
    now: Timestamp,
) -> Result<(), Refusal> {
    let proof = &principal.proof;
    if let Some(key) = &proof.signing_key {
        signing_key(snapshot, key, now)?;
    }
    if principal.expires_at.is_some_and(|end| end <= now) {
        return Err(Refusal::Expired);
    }
    if principal.session.is_some_and(|session| snapshot.token.is_revoked(session)) {
        return Err(Refusal::Revoked);
    }
    if let Some(key) = proof.api_key {
        let account = api_key::holder(snapshot, key, now)?;
        let is_same = principal.identity == Identity::ServiceAccount(account.id)
            && principal.organization == Some(account.organization);
        return if is_same { Ok(()) } else { Err(Refusal::ApiKey) };
    }
    let application = match proof.application {
        Some(application) => Some(snapshot.token.application(application).ok_or(Refusal::Application)?),
        None => None,
    };
    match principal.identity {
        Identity::Anonymous => Ok(()),
        Identity::User(_) => user(snapshot, principal),
        // One that acts without having shown anything, such as in the background.
        Identity::ServiceAccount(account) => snapshot
            .token
            .service_account(account)
            .filter(|account| account.is_active && principal.organization == Some(account.organization))
            .map(drop)
            .ok_or(Refusal::ApiKey),
        Identity::Application(_) => application
            .filter(|application| application.grant == ApplicationGrant::ClientCredentials)
            .map(drop)
            .ok_or(Refusal::Application),
    }
}

/// The key of that name, if its tokens are accepted now.
pub(super) fn signing_key<'a>(
    snapshot: &'a crate::Snapshot,
    name: &str,
    now: Timestamp,
) -> Result<&'a SnapshotKey, Refusal> {
    let accepted = |key: &&SnapshotKey| key.stored.verifies_until.is_none_or(|until| now < until);
    snapshot.token.key(name).filter(accepted).ok_or(Refusal::UnknownKey)
}

fn user(snapshot: &crate::Snapshot, principal: &Principal) -> Result<(), Refusal> {
    let facts = snapshot.identity.active_user(principal).ok_or(Refusal::User)?;
    let organization_stands = principal
        .organization
        .is_none_or(|organization| snapshot.identity.organization(organization).is_some());
    let is_same_password =
        principal.proof.credential_version.is_none_or(|version| version == facts.credential_version);
    if organization_stands && is_same_password { Ok(()) } else { Err(Refusal::User) }
}

#[cfg(test)]
mod tests;
