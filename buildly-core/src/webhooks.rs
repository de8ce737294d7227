//! What webhooks ask of auth, of the network and of the deployment's key.

use async_trait::async_trait;
use buildly_auth::Auth;
use buildly_auth::token::DeploymentKey;
use buildly_extension::webhook::{Message, Post, Secrets, SigningSecret};
use buildly_extension::{Access, Error};
use buildly_gateway_http::{Outbound, TlsError};
use buildly_model::{ErrorKind, OrganizationId, Principal, WebhookId};
use http::{Method, Request, Uri};

/// Administrators, as auth knows them.
pub(crate) struct Administrators(pub(crate) Auth);

#[async_trait]
impl Access for Administrators {
    async fn require_admin(&self, principal: &Principal) -> Result<OrganizationId, Error> {
        self.0.require_admin(principal).await.map_err(|error| match error {
            buildly_auth::Error::Store(error) => Error::Store(error),
            error if error.kind() == ErrorKind::Unauthenticated => Error::Unauthenticated,
            error => Error::Forbidden { reason: error.to_string() },
        })?;
        let nowhere = || Error::Forbidden { reason: "webhooks belong to an organization".to_owned() };
        principal.organization.ok_or_else(nowhere)
    }
}

/// Secrets derived from the deployment's key: none is stored, each comes back.
pub(crate) struct DerivedSecrets(pub(crate) DeploymentKey);

impl Secrets for DerivedSecrets {
    fn secret(&self, webhook: WebhookId) -> SigningSecret {
        SigningSecret::new(self.0.secret_for(&format!("extension.webhook {webhook}")))
    }
}

/// The network.
pub(crate) struct Network(Outbound);

impl Network {
    pub(crate) fn new(private_is_allowed: bool) -> Result<Self, crate::Error> {
        let refused = |error: TlsError| crate::Error::Setting { setting: "tls", reason: error.to_string() };
        Outbound::new(private_is_allowed).map(Self).map_err(refused)
    }
}

#[async_trait]
impl Post for Network {
    fn refusal(&self, url: &Uri) -> Option<String> {
        self.0.refusal(url)
    }

    async fn post(&self, message: Message) -> Result<u16, String> {
        let mut request = Request::new(message.body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = message.url;
        *request.headers_mut() = message.headers;
        self.0.send(request).await.map(|status| status.as_u16()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
