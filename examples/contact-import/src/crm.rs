//! The CRM that comes with Buildly, inside this program.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use buildly_core::Buildly;
use buildly_core::auth::Auth;
use buildly_core::model::{Body, BodyError};
use buildly_kit::{Authenticate, Caller, DatabaseAddress, Service, Settings};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};

/// Says who asks: the gateway forwards the caller's token to services of this process.
struct OfThisDeployment(Auth);

#[async_trait]
impl Authenticate for OfThisDeployment {
    async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, buildly_kit::Error> {
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let refused = buildly_kit::Error::Unauthenticated("The token is not good.");
        let Ok(principal) = self.0.authenticate(token).await else { return Err(refused) };
        let nowhere = buildly_kit::Error::Forbidden("The caller belongs to no organization.");
        let organization = principal.organization.ok_or(nowhere)?;
        Ok(Caller { principal, organization })
    }
}

/// Opens the CRM's database in `folder` and puts it where its registration points to.
pub(crate) async fn attach(
    buildly: &Buildly,
    folder: &Path,
) -> Result<Service, Box<dyn Error + Send + Sync>> {
    let database = DatabaseAddress::File(folder.join("crm.db"));
    let authenticate = Arc::new(OfThisDeployment(buildly.auth().clone()));
    let crm = buildly_crm::declaration().open(Settings::new(database, authenticate)).await?;
    let answering = crm.clone();
    let answer = move |request: Request<Body>| {
        let crm = answering.clone();
        async move { Ok::<_, BodyError>(crm.handle(request).await) }
    };
    buildly.attach_service("crm.localhost", Arc::new(answer));
    Ok(crm)
}
