//! A person lets an application act for them: the operations behind `/oauth/authorize/`.

use std::net::IpAddr;

use buildly_model::{Secret, SessionId, StoreError};

use super::authorization::{self, AuthorizationError, AuthorizationRequest};
use super::authorization_code::{AuthorizationCode, CODE_LIFETIME, Redemption, sha256};
use super::grant::GrantError;
use super::issue::{Bearer, Issued};
use super::signing_key::KeyError;
use super::{Application, SigningError};
use crate::identity::{Scope, UserKey};
use crate::{Auth, Error};

impl Auth {
    /// The name of the application that asks, to show to the person.
    ///
    /// # Errors
    /// [`AuthorizationError`]: tell the person, or send the browser where it says.
    pub fn authorization(&self, request: &AuthorizationRequest) -> Result<String, AuthorizationError> {
        let snapshot = self.parts.snapshots.current();
        let asked = authorization::decide(&snapshot.token, request, &self.parts.signing.issuer())?;
        Ok(Some(&asked.application.name)
            .filter(|name| !name.is_empty())
            .unwrap_or(&asked.application.client_id)
            .clone())
    }

    /// The person signs in and agrees: where the browser goes, with a code.
    ///
    /// # Errors
    /// The outer one as [`Auth::authorization`]; the inner one as signing in: let the person
    /// try again.
    pub async fn authorize(
        &self,
        request: &AuthorizationRequest,
        username: &str,
        password: &Secret,
        address: Option<IpAddr>,
    ) -> Result<Result<String, Error>, AuthorizationError> {
        let snapshot = self.parts.snapshots.current();
        let issuer = self.parts.signing.issuer();
        let asked = authorization::decide(&snapshot.token, request, &issuer)?;
        let user = match self.sign_in(username, password, address).await {
            Ok(user) => user,
            Err(error) => return Ok(Err(error)),
        };
        let now = self.parts.clock.now();
        let code = AuthorizationCode {
            session: SessionId::generate(now, &*self.parts.random),
            application: asked.application.id,
            user: user.id,
            organization: user.organization,
            credential_version: user.credential_version,
            redirect_uri: asked.names_redirect_uri.then(|| sha256(asked.redirect_uri)),
            challenge: asked.challenge.to_owned(),
            expires_at: now.after(CODE_LIFETIME).as_microseconds(),
        };
        let sealed = code.seal(&self.parts.signing.deployment_key, &*self.parts.random);
        Ok(sealed
            .map(|code| authorization::code_location(asked.redirect_uri, asked.state, &issuer, code.expose()))
            .map_err(|error| SigningError::from(KeyError::Sealed(error)).into()))
    }

    /// The person does not agree: where the browser goes.
    ///
    /// # Errors
    /// As [`Auth::authorization`].
    pub fn refuse_authorization(&self, request: &AuthorizationRequest) -> Result<String, AuthorizationError> {
        let snapshot = self.parts.snapshots.current();
        let issuer = self.parts.signing.issuer();
        let asked = authorization::decide(&snapshot.token, request, &issuer)?;
        let description = "the person did not agree";
        Ok(authorization::error_location(
            asked.redirect_uri,
            asked.state,
            &issuer,
            "access_denied",
            description,
        ))
    }

    /// Trades a code for the first tokens of its session.
    pub(super) async fn redeem(
        &self,
        application: &Application,
        with: &Redemption,
    ) -> Result<Issued, GrantError> {
        let refused = |why: &str| GrantError::InvalidGrant(why.to_owned());
        let code = AuthorizationCode::open(with.code.expose(), &self.parts.signing.deployment_key)
            .ok_or_else(|| refused("The authorization code is not one of ours."))?;
        code.check(application.id, with, self.parts.clock.now()).map_err(refused)?;
        let user = self.parts.store.find_user(Scope::Deployment, UserKey::Id(code.user)).await;
        let user = user.map_err(Error::from).map_err(GrantError::Failed)?.filter(|user| {
            user.is_active
                && user.organization == code.organization
                && user.credential_version == code.credential_version
        });
        let user = user.ok_or_else(|| refused("The account behind the authorization code has changed."))?;
        match self.start_session_as(code.session, &Bearer::of_user(&user, Some(application))).await {
            Err(Error::Store(StoreError::Taken { .. })) => {
                self.end_twice_redeemed(code.session).await.map_err(GrantError::Failed)?;
                Err(refused("The authorization code was used before; its session has ended."))
            }
            started => started.map_err(super::oauth::grant_error),
        }
    }

    /// Two hold the same code, and nobody can tell which of them is the thief.
    async fn end_twice_redeemed(&self, session: SessionId) -> Result<(), Error> {
        if let Some(session) = self.parts.store.find_session(session).await? {
            tracing::warn!(session = %session.id, "authorization code used twice, session ended");
            self.end_session(&session, &super::oauth::session_principal(&session)).await?;
        }
        Ok(())
    }
}
