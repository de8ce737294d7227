//! Issuing: keys made ready, sessions opened, access tokens signed.

use std::sync::Arc;
use std::time::Duration;

use buildly_journal::{Event, Part};
use buildly_model::{
    ApplicationId, Identity, OrganizationId, Principal, RunId, Secret, ServiceAccountId, SessionId,
    StoreError, Timestamp, TokenId, UserId,
};
use serde_json::json;

use super::{
    AUDIENCE, AccessToken, Actor, ApiKey, Application, Change, Claims, RefreshToken, SCOPE, ServiceAccount,
    Session, TokenType, jws, rotation,
};
use crate::identity::{Scope, User, UserFacts, UserKey};
use crate::{Auth, Error, Snapshot};

/// What a caller gets when a session begins or goes on.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The access token: a signed JWT.
    pub access_token: Secret,
    /// How long it lives.
    pub expires_in: Duration,
    /// The refresh token; applications that act for themselves get none.
    pub refresh_token: Option<Secret>,
    /// The session.
    pub session: SessionId,
}

/// Whom a token is issued to.
#[derive(Debug, Clone)]
pub(super) struct Bearer {
    pub(super) user: Option<BearerUser>,
    pub(super) account: Option<BearerAccount>,
    pub(super) organization: Option<OrganizationId>,
    pub(super) application: Option<(ApplicationId, String)>,
    /// The run that acts in the bearer's name.
    pub(super) run: Option<RunId>,
}

/// The user part of it.
#[derive(Debug, Clone)]
pub(super) struct BearerUser {
    pub(super) id: UserId,
    pub(super) number: i64,
    pub(super) username: String,
    pub(super) credential_version: u64,
}

/// The service account part of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct BearerAccount {
    id: ServiceAccountId,
    /// The API key that it is given for; none where a run acts as the account.
    key: Option<TokenId>,
    key_expires_at: Option<Timestamp>,
}

impl Bearer {
    pub(super) fn of_user(user: &User, application: Option<&Application>) -> Self {
        Self {
            organization: user.organization,
            account: None,
            user: Some(BearerUser {
                id: user.id,
                number: user.number,
                username: user.username.clone(),
                credential_version: user.credential_version,
            }),
            application: application.map(name_of),
            run: None,
        }
    }

    /// A run that acts as this user.
    pub(super) fn of_user_in(run: RunId, user: &UserFacts) -> Self {
        Self {
            organization: user.organization,
            account: None,
            user: Some(BearerUser {
                id: user.id,
                number: user.number,
                username: user.username.clone(),
                credential_version: user.credential_version,
            }),
            application: None,
            run: Some(run),
        }
    }

    /// A run that acts as this service account.
    pub(super) fn of_account_in(run: RunId, account: &ServiceAccount) -> Self {
        let bearer = BearerAccount { id: account.id, key: None, key_expires_at: None };
        Self {
            user: None,
            account: Some(bearer),
            organization: Some(account.organization),
            application: None,
            run: Some(run),
        }
    }

    pub(super) fn of_application(application: &Application) -> Self {
        let application = Some(name_of(application));
        Self { user: None, account: None, organization: None, application, run: None }
    }

    pub(super) fn of_account(account: &ServiceAccount, key: &ApiKey) -> Self {
        let bearer = BearerAccount { id: account.id, key: Some(key.id), key_expires_at: key.expires_at };
        Self {
            user: None,
            account: Some(bearer),
            organization: Some(account.organization),
            application: None,
            run: None,
        }
    }

    fn credential_version(&self) -> u64 {
        self.user.as_ref().map_or(0, |user| user.credential_version)
    }

    fn principal(&self, session: SessionId) -> Principal {
        let application = self.application.as_ref().map(|(id, _)| Identity::Application(*id));
        let account = self.account.map(|account| Identity::ServiceAccount(account.id));
        let identity = self
            .user
            .as_ref()
            .map(|user| Identity::User(user.id))
            .or(account)
            .or(application)
            .unwrap_or(Identity::Anonymous);
        Principal {
            identity,
            organization: self.organization,
            session: Some(session),
            ..Principal::ANONYMOUS
        }
    }

    fn claims(&self, issuer: &str, session: SessionId, access: &AccessToken) -> Claims {
        let user = self.user.as_ref();
        let client_id = self.application.as_ref().map(|(_, client_id)| client_id.clone());
        let account = self.account.map(|account| account.id);
        let subject = user
            .map(|user| user.id.to_string())
            .or_else(|| account.map(|account| account.to_string()))
            .or_else(|| client_id.clone());
        Claims {
            iss: issuer.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject.unwrap_or_default(),
            jti: access.id,
            sid: session,
            iat: access.issued_at.as_seconds(),
            nbf: access.issued_at.as_seconds(),
            exp: access.expires_at.as_seconds(),
            token_type: TokenType::Access,
            scope: SCOPE.to_owned(),
            client_id,
            core_user_uuid: user.map(|user| user.id),
            user_id: user.map(|user| user.number),
            username: user.map(|user| user.username.clone()),
            service_account_uuid: account,
            api_key: self.account.and_then(|account| account.key),
            act: self.run.map(|run| Actor { sub: format!("run:{run}") }),
            organization_uuid: self.organization,
            credential_version: self.credential_version(),
        }
    }
}

fn name_of(application: &Application) -> (ApplicationId, String) {
    (application.id, application.client_id.clone())
}

impl Auth {
    /// Opens a session and issues its first tokens.
    pub(super) async fn start_session(&self, bearer: &Bearer) -> Result<Issued, Error> {
        let session = SessionId::generate(self.parts.clock.now(), &*self.parts.random);
        self.start_session_as(session, bearer).await
    }

    /// Opens the session of that id; [`StoreError::Taken`] if it was opened before,
    /// [`Error::WrongCredentials`] if the user's password has changed since it was checked.
    pub(super) async fn start_session_as(&self, id: SessionId, bearer: &Bearer) -> Result<Issued, Error> {
        let snapshot = self.ready_to_sign().await?;
        let now = self.parts.clock.now();
        let session = Session {
            id,
            organization: bearer.organization,
            user: bearer.user.as_ref().map(|user| user.id),
            application: bearer.application.as_ref().map(|(id, _)| *id),
            credential_version: bearer.credential_version(),
            started_at: now,
            revoked_at: None,
        };
        let (access, access_token) = self.sign_access(&snapshot, bearer, session.id, now)?;
        let refresh_token = bearer.user.is_some().then(|| rotation::first(&*self.parts.random));
        let refresh = refresh_token.as_ref().map(|text| self.refresh_row(text, 1, now));
        let expires_in = access.expires_at.since(now);
        let change = Change::SessionStarted { session, access, refresh };
        match self.commit_session("auth.session.started", bearer, id, change).await {
            Err(StoreError::Stale) => return Err(Error::WrongCredentials),
            written => written?,
        }
        Ok(Issued { access_token, expires_in, refresh_token, session: id })
    }

    /// Writes what happened to a session.
    pub(super) async fn commit_session(
        &self,
        kind: &'static str,
        bearer: &Bearer,
        session: SessionId,
        change: Change,
    ) -> Result<(), StoreError> {
        let client_id = bearer.application.as_ref().map(|(_, client_id)| client_id);
        let account = bearer.account.map(|account| account.id);
        let user = bearer.user.as_ref().map(|user| user.id);
        let payload = json!({ "user": user, "service_account": account, "client_id": client_id });
        let principal = bearer.principal(session);
        let event = Event::new(kind, session, payload, &principal, &*self.parts.clock, &*self.parts.random);
        self.parts.commits.commit(Part::of(bearer.organization, change.into(), event)).await.map(drop)
    }

    /// Signs an access token that begins now.
    pub(super) fn sign_access(
        &self,
        snapshot: &Snapshot,
        bearer: &Bearer,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(AccessToken, Secret), Error> {
        let expires_at = now.after(self.parts.signing.settings.access_lifetime);
        self.sign_access_until(expires_at, snapshot, bearer, session, now)
    }

    /// Signs an access token that begins now and ends with the API key at the latest.
    pub(super) fn sign_access_until(
        &self,
        expires_at: Timestamp,
        snapshot: &Snapshot,
        bearer: &Bearer,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(AccessToken, Secret), Error> {
        let signing = &self.parts.signing;
        let key_expires_at = bearer.account.and_then(|account| account.key_expires_at);
        let (stored, private) = signing.current(&snapshot.token, now)?;
        let access = AccessToken {
            id: TokenId::generate(now, &*self.parts.random),
            number: 0,
            issued_at: now,
            expires_at: key_expires_at.map_or(expires_at, |end| end.min(expires_at)),
        };
        let claims = bearer.claims(&signing.issuer(), session, &access);
        let token =
            jws::sign(&claims, &stored.id, stored.algorithm, &private).map_err(super::SigningError::from)?;
        Ok((access, Secret::new(token)))
    }

    /// What is stored of a refresh token that is issued now.
    pub(super) fn refresh_row(&self, text: &Secret, generation: i64, now: Timestamp) -> RefreshToken {
        RefreshToken {
            hash: rotation::hash_of(text.expose()),
            number: 0,
            generation,
            issued_at: now,
            expires_at: now.after(self.parts.signing.settings.refresh_lifetime),
            used_at: None,
        }
    }

    /// The bearer of a session that goes on, if it still may; `None` if not.
    pub(super) async fn bearer_of(
        &self,
        session: &Session,
        application: Option<&Application>,
    ) -> Result<Option<Bearer>, Error> {
        let Some(user) = session.user else { return Ok(None) };
        let found = self.parts.store.find_user(Scope::Deployment, UserKey::Id(user)).await?;
        let may = |user: &User| {
            user.is_active
                && user.organization == session.organization
                && user.credential_version == session.credential_version
        };
        Ok(found.filter(may).map(|user| Bearer::of_user(&user, application)))
    }

    /// A snapshot in which there is a key to sign with and the issuer is known.
    pub(super) async fn ready_to_sign(&self) -> Result<Arc<Snapshot>, Error> {
        let snapshot = self.parts.snapshots.current();
        let signing = &self.parts.signing;
        let now = self.parts.clock.now();
        if snapshot.token.knows_issuer(&signing.issuer()) && signing.current(&snapshot.token, now).is_ok() {
            return Ok(snapshot);
        }
        self.issue_as(&signing.issuer()).await?;
        Ok(self.parts.snapshots.current())
    }
}
