//! The operations behind the token endpoints: sign in, refresh, revoke, introspect.

use std::net::IpAddr;

use buildly_journal::{Event, Part};
use buildly_model::{ApplicationId, Identity, Principal, Secret, SessionId, StoreError};
use serde::Serialize;
use serde_json::json;

use super::grant::{self, Client, ClientCredentials, Grant, GrantError, TokenRequest};
use super::issue::{Bearer, Issued};
use super::rotation::{self, Rotation};
use super::{Application, Change, ClientType, FoundRefreshToken, Refusal, Session, verify};
use crate::identity::User;
use crate::{Auth, Error};

/// How often a decision is made again when the stored state has moved on.
const DECISIONS_MAX: u32 = 3;

/// No refresh token is longer, in bytes.
const REFRESH_LENGTH_MAX: usize = 256;

/// What a token says about itself (RFC 7662 section 2.2). Of one that is not active nothing
/// else is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Introspection {
    /// Whether it is good now.
    pub active: bool,
    /// Its scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// When it ends, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was issued, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// The application it was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The user's sign-in name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// Whom it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    /// How it is presented: `Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// The tenant that it acts in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_uuid: Option<String>,
}

impl Auth {
    /// Says who the bearer of an access token or an API key is.
    ///
    /// # Errors
    /// [`Error::Token`] says what is wrong with it; [`Error::Store`] if the organization
    /// cannot be loaded.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, Error> {
        let mut snapshot = self.parts.snapshots.current();
        // Looked at once: nothing that happens meanwhile makes it another token.
        let genuine = verify::Genuine::of(&snapshot.token, token)?;
        if let Some(organization) = genuine.organization()
            && !snapshot.has_organization(organization)
        {
            snapshot = self.parts.snapshots.with_organization(organization).await?;
        }
        let now = self.parts.clock.now();
        let principal = genuine.check(&snapshot, now)?;
        snapshot.token.note_use(token, now);
        Ok(principal)
    }

    /// Answers a token request (RFC 6749 sections 4.1.3, 4.3, 4.4, 6).
    ///
    /// # Errors
    /// A [`GrantError`] that the client is to be told.
    pub async fn token(&self, request: &TokenRequest, address: Option<IpAddr>) -> Result<Issued, GrantError> {
        let snapshot = self.parts.snapshots.current();
        let bearer = match grant::decide(&snapshot.token, request, self.parts.clock.now())? {
            Grant::Refresh { application, token } => return self.trade(&token, Some(application)).await,
            Grant::AuthorizationCode { application, redemption } => {
                return self.redeem(application, &redemption).await;
            }
            Grant::Password { application, username, password } => {
                let user = self.sign_in(&username, &password, address).await.map_err(grant_error)?;
                Bearer::of_user(&user, Some(application))
            }
            Grant::Application(application) => Bearer::of_application(application),
            Grant::ServiceAccount(account, key) => Bearer::of_account(account, key),
        };
        self.start_session(&bearer).await.map_err(grant_error)
    }

    /// Opens a session without an application, with name and password.
    ///
    /// # Errors
    /// As signing in: [`Error::WrongCredentials`], [`Error::AwaitingApproval`], [`Error::Limited`].
    pub async fn open_session(
        &self,
        username: &str,
        password: &Secret,
        address: Option<IpAddr>,
    ) -> Result<Issued, Error> {
        let user = self.sign_in(username, password, address).await?;
        self.start_session_of(&user).await
    }

    /// Opens a session without an application for a user who has been proven.
    pub(crate) async fn start_session_of(&self, user: &User) -> Result<Issued, Error> {
        self.start_session(&Bearer::of_user(user, None)).await
    }

    /// Trades the refresh token of a session without an application.
    ///
    /// # Errors
    /// [`GrantError::InvalidGrant`] if it is not good any more.
    pub async fn refresh_session(&self, token: &Secret) -> Result<Issued, GrantError> {
        self.trade(token, None).await
    }

    /// Ends the session of a token, access or refresh, good or ended, on every node at once
    /// (RFC 7009). A text that is no token of ours is passed over.
    ///
    /// # Errors
    /// [`GrantError::InvalidClient`], [`GrantError::UnauthorizedClient`] if the token was
    /// issued to another application.
    pub async fn revoke_token(&self, client: &ClientCredentials, token: &str) -> Result<(), GrantError> {
        let snapshot = self.parts.snapshots.current();
        let client = grant::authenticate(&snapshot.token, client, self.parts.clock.now())?;
        let Some(session) = self.session_of_token(token).await.map_err(GrantError::Failed)? else {
            return Ok(());
        };
        let is_foreign = |owner| match client {
            Client::Application(application) => owner != application.id,
            Client::ServiceAccount(..) => true,
        };
        if session.application.is_some_and(is_foreign) {
            return Err(GrantError::UnauthorizedClient);
        }
        let actor = session_principal(&session);
        self.end_session(&session, &actor).await.map_err(failed)
    }

    /// Ends the caller's own session.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn sign_out(&self, principal: &Principal) -> Result<(), Error> {
        let Some(session) = principal.session else { return Ok(()) };
        match self.parts.store.find_session(session).await? {
            Some(session) => Ok(self.end_session(&session, principal).await?),
            None => Ok(()),
        }
    }

    /// Says what a token is worth now, to a client that has proven itself or to a signed-in
    /// caller: [`GrantError::InvalidClient`] otherwise.
    ///
    /// # Errors
    /// [`GrantError::InvalidClient`], [`GrantError::Failed`].
    pub async fn introspect(
        &self,
        client: &ClientCredentials,
        principal: &Principal,
        token: &str,
    ) -> Result<Introspection, GrantError> {
        let snapshot = self.parts.snapshots.current();
        if !principal.is_signed_in() {
            match grant::authenticate(&snapshot.token, client, self.parts.clock.now())? {
                Client::Application(application) if application.client_type == ClientType::Public => {
                    return Err(GrantError::InvalidClient);
                }
                Client::Application(_) | Client::ServiceAccount(..) => {}
            }
        }
        match self.authenticate(token).await {
            Ok(bearer) => Ok(describe(&bearer, verify::prove(&snapshot.token, token).ok().as_deref())),
            Err(Error::Token(_)) => self.introspect_refresh(token).await.map_err(GrantError::Failed),
            Err(error) => Err(GrantError::Failed(error)),
        }
    }

    async fn introspect_refresh(&self, token: &str) -> Result<Introspection, Error> {
        let found = self.find_refresh(token).await?;
        let (snapshot, now) = (self.parts.snapshots.current(), self.parts.clock.now());
        let good = found.filter(|found| {
            found.session.revoked_at.is_none()
                && found.token.used_at.is_none()
                && now < found.token.expires_at
                && found.session.application.is_none_or(|id| snapshot.token.application(id).is_some())
        });
        let good = match good {
            // It leads nowhere once its user is switched off, has moved or has another password.
            Some(found) => self.bearer_of(&found.session, None).await?.map(|_| found),
            None => None,
        };
        Ok(good.map_or_else(Introspection::default, |found| Introspection {
            active: true,
            scope: Some(super::SCOPE.to_owned()),
            exp: Some(found.token.expires_at.as_seconds()),
            iat: Some(found.token.issued_at.as_seconds()),
            sub: found.session.user.map(|user| user.to_string()),
            ..Introspection::default()
        }))
    }

    async fn trade(
        &self,
        presented: &Secret,
        application: Option<&Application>,
    ) -> Result<Issued, GrantError> {
        for _ in 0..DECISIONS_MAX {
            match self.trade_once(presented, application).await {
                // Somebody else presented it at the same moment: decide on what is now.
                Err(GrantError::Failed(Error::Store(StoreError::Stale))) => {}
                answer => return answer,
            }
        }
        Err(failed(StoreError::Stale))
    }

    async fn trade_once(
        &self,
        presented: &Secret,
        application: Option<&Application>,
    ) -> Result<Issued, GrantError> {
        let refused = || GrantError::InvalidGrant("The refresh token is not valid any more.".to_owned());
        let found = self.find_refresh(presented.expose()).await.map_err(GrantError::Failed)?;
        let owner: Option<ApplicationId> = application.map(|application| application.id);
        let found = found.filter(|found| found.session.application == owner).ok_or_else(refused)?;
        let now = self.parts.clock.now();
        let signing = &self.parts.signing;
        let decided = rotation::rotate(&found, signing.settings.refresh_retry_window, now);
        match decided {
            Rotation::Ended => return Err(refused()),
            Rotation::Reused => {
                tracing::warn!(session = %found.session.id, "refresh token used twice, session ended");
                let actor = session_principal(&found.session);
                self.end_session(&found.session, &actor).await.map_err(failed)?;
                return Err(refused());
            }
            Rotation::Advance | Rotation::Repeat => {}
        }
        let bearer = self.bearer_of(&found.session, application).await.map_err(GrantError::Failed)?;
        let bearer = bearer.ok_or_else(refused)?;
        let snapshot = self.ready_to_sign().await.map_err(GrantError::Failed)?;
        let session = found.session.id;
        let (access, access_token) =
            self.sign_access(&snapshot, &bearer, session, now).map_err(GrantError::Failed)?;
        let text = rotation::successor(&signing.succession_key(), presented.expose());
        let (kind, change) = if decided == Rotation::Advance {
            let successor = self.refresh_row(&text, found.token.generation + 1, now);
            let presented = found.token.hash;
            ("auth.session.refreshed", Change::SessionRefreshed { session, presented, successor, access })
        } else {
            ("auth.session.repeated", Change::SessionRepeated { session, access })
        };
        self.commit_session(kind, &bearer, session, change).await.map_err(failed)?;
        let expires_in = signing.settings.access_lifetime;
        Ok(Issued { access_token, expires_in, refresh_token: Some(text), session })
    }

    /// Ends a session on every node before it returns; one that has ended stays so.
    pub(super) async fn end_session(&self, session: &Session, actor: &Principal) -> Result<(), StoreError> {
        if session.revoked_at.is_some() {
            return Ok(());
        }
        let change = Change::SessionRevoked { session: session.id, at: self.parts.clock.now() };
        let event = Event::new(
            "auth.session.revoked",
            session.id,
            json!({ "user": session.user }),
            actor,
            &*self.parts.clock,
            &*self.parts.random,
        );
        let part = Part::of(session.organization, change.into(), event).taking_rights();
        self.parts.commits.commit(part).await.map(drop)
    }

    async fn session_of_token(&self, token: &str) -> Result<Option<Session>, Error> {
        let snapshot = self.parts.snapshots.current();
        if let Ok(proven) = verify::prove(&snapshot.token, token) {
            let session: SessionId = proven.claims.sid;
            return Ok(self.parts.store.find_session(session).await?);
        }
        Ok(self.find_refresh(token).await?.map(|found| found.session))
    }

    async fn find_refresh(&self, token: &str) -> Result<Option<FoundRefreshToken>, Error> {
        if token.len() > REFRESH_LENGTH_MAX {
            return Ok(None);
        }
        Ok(self.parts.store.find_refresh_token(&rotation::hash_of(token)).await?)
    }
}

pub(super) fn session_principal(session: &Session) -> Principal {
    let identity = match (session.user, session.application) {
        (Some(user), _) => Identity::User(user),
        (None, Some(application)) => Identity::Application(application),
        (None, None) => Identity::Anonymous,
    };
    Principal {
        identity,
        organization: session.organization,
        session: Some(session.id),
        ..Principal::ANONYMOUS
    }
}

fn describe(bearer: &Principal, proven: Option<&verify::Proven>) -> Introspection {
    let claims = proven.map(|proven| &proven.claims);
    let subject = match bearer.identity {
        Identity::ServiceAccount(account) => Some(account.to_string()),
        Identity::Anonymous | Identity::User(_) | Identity::Application(_) => None,
    };
    Introspection {
        active: true,
        scope: Some(super::SCOPE.to_owned()),
        exp: bearer.expires_at.map(|at| at.as_seconds()),
        iat: claims.map(|claims| claims.iat),
        client_id: claims.and_then(|claims| claims.client_id.clone()),
        username: claims.and_then(|claims| claims.username.clone()),
        sub: claims.map(|claims| claims.sub.clone()).or(subject),
        aud: Some(super::AUDIENCE.to_owned()),
        iss: claims.map(|claims| claims.iss.clone()),
        jti: claims.map(|claims| claims.jti.to_string()),
        token_type: Some("Bearer"),
        organization_uuid: bearer.organization.map(|organization| organization.to_string()),
    }
}

fn failed(error: StoreError) -> GrantError {
    GrantError::Failed(Error::Store(error))
}

/// What signing in says, in the words of OAuth.
pub(super) fn grant_error(error: Error) -> GrantError {
    match error {
        Error::WrongCredentials => GrantError::InvalidGrant("Invalid credentials given.".to_owned()),
        Error::AwaitingApproval => GrantError::InvalidGrant(
            "This account awaits approval by an administrator of the organization.".to_owned(),
        ),
        Error::Limited { retry_after } => GrantError::Limited { retry_after },
        other => GrantError::Failed(other),
    }
}

impl From<Refusal> for GrantError {
    fn from(refusal: Refusal) -> Self {
        Self::InvalidGrant(refusal.to_string())
    }
}
