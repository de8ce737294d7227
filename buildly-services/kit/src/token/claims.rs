//! What a token must say. Pure.

use std::time::Duration;

use buildly_model::{
    ApplicationId, Identity, OrganizationId, Principal, ServiceAccountId, SessionId, Timestamp, UserId,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{Caller, Error};

/// How far the clocks of issuer and service may differ.
const LEEWAY: Duration = Duration::from_secs(30);

/// The claims that a service reads.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: Option<String>,
    pub(super) sub: Option<String>,
    pub(super) exp: Option<i64>,
    pub(super) nbf: Option<i64>,
    pub(super) token_type: Option<String>,
    pub(super) core_user_uuid: Option<Uuid>,
    pub(super) service_account_uuid: Option<Uuid>,
    pub(super) organization_uuid: Option<Uuid>,
    pub(super) sid: Option<Uuid>,
}

/// Reads the caller from claims whose signature holds.
///
/// # Errors
/// [`Error::Unauthenticated`] with the reason, [`Error::Forbidden`] without organization.
pub(super) fn check(claims: &Claims, issuer: Option<&str>, now: Timestamp) -> Result<Caller, Error> {
    let refuse = |reason| Err(Error::Unauthenticated(reason));
    if issuer.is_some() && claims.iss.as_deref() != issuer {
        return refuse("The token is of another issuer.");
    }
    if claims.token_type.as_deref() != Some("access") {
        return refuse("The token is no access token.");
    }
    let Some(expires_at) = claims.exp.map(Timestamp::from_seconds) else {
        return refuse("The token does not say when it ends.");
    };
    if now >= expires_at.after(LEEWAY) {
        return refuse("The token has expired.");
    }
    if claims.nbf.is_some_and(|from| now < Timestamp::from_seconds(from).before(LEEWAY)) {
        return refuse("The token is not valid yet.");
    }
    let identity = match (claims.core_user_uuid, claims.service_account_uuid, claims.sub.as_deref()) {
        (Some(user), ..) => Identity::User(UserId::from_uuid(user)),
        (None, Some(account), _) => Identity::ServiceAccount(ServiceAccountId::from_uuid(account)),
        (None, None, Some(client)) if !client.is_empty() => Identity::Application(application(client)),
        (None, None, _) => return refuse("The token does not say whose it is."),
    };
    let organization = claims
        .organization_uuid
        .map(OrganizationId::from_uuid)
        .ok_or(Error::Forbidden("The token belongs to no organization, and records belong to one."))?;
    let principal = Principal {
        identity,
        organization: Some(organization),
        session: claims.sid.map(SessionId::from_uuid),
        expires_at: Some(expires_at),
        ..Principal::ANONYMOUS
    };
    Ok(Caller { principal, organization })
}

/// A token of an application names it by its `client_id`, which may be any text. A service only
/// needs to tell one from another, so the id is made from that text.
fn application(client: &str) -> ApplicationId {
    let name = format!("urn:buildly:client:{client}");
    ApplicationId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
}
