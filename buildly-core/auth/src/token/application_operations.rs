//! Applications registered, changed and removed; for superusers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buildly_model::{Action, ApplicationId, Principal, Secret, StoreError};

use super::authorization::is_redirect_uri;
use super::{Application, ApplicationGrant, Change, ClientType, SecretHash};
use crate::identity::{ATTEMPTS_MAX, Input, is_stale};
use crate::{Auth, Error, Resource};

/// The longest names and addresses, in bytes.
const TEXT_LENGTH_MAX: usize = 4096;
const CLIENT_ID_LENGTH_MAX: usize = 100;

/// How a caller names an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationKey {
    /// By id.
    Id(ApplicationId),
    /// By the number of the old wire.
    Number(i64),
}

/// An application to register.
#[derive(Debug, Clone)]
pub struct NewApplication {
    /// The name it presents itself with; drawn if none is given.
    pub client_id: Option<String>,
    /// What people call it.
    pub name: String,
    /// Whether it can keep a secret.
    pub client_type: ClientType,
    /// How it obtains tokens.
    pub grant: ApplicationGrant,
    /// Where the browser may be sent back to, space-separated.
    pub redirect_uris: String,
}

/// What to change of an application.
#[derive(Debug, Clone, Default)]
pub struct ApplicationPatch {
    /// What people call it.
    pub name: Option<String>,
    /// Whether it can keep a secret. One that becomes confidential gets a secret.
    pub client_type: Option<ClientType>,
    /// How it obtains tokens.
    pub grant: Option<ApplicationGrant>,
    /// Where the browser may be sent back to, space-separated.
    pub redirect_uris: Option<String>,
}

impl Auth {
    /// Registers an application. The secret of a confidential one is in the answer, and
    /// nowhere else.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::Invalid`] (also where
    /// `client_id` is taken), [`Error::Store`].
    pub async fn create_application(
        &self,
        principal: &Principal,
        new: NewApplication,
    ) -> Result<(Application, Option<Secret>), Error> {
        self.require_deployment(principal, Action::Create)?;
        self.register_application(principal, new).await
    }

    /// Makes sure that a public client for the password grant is registered under this name,
    /// for the front ends of a deployment; what is registered already stays as it is.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the name cannot be one, [`Error::Store`].
    pub async fn ensure_public_client(&self, client_id: &str, name: &str) -> Result<(), Error> {
        if self.parts.snapshots.current().token.application_named(client_id).is_some() {
            return Ok(());
        }
        let new = NewApplication {
            client_id: Some(client_id.to_owned()),
            name: name.to_owned(),
            client_type: ClientType::Public,
            grant: ApplicationGrant::Password,
            redirect_uris: String::new(),
        };
        self.register_application(&Principal::ANONYMOUS, new).await.map(drop)
    }

    /// The applications, by number.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser.
    pub fn applications(&self, principal: &Principal) -> Result<Vec<Application>, Error> {
        self.require_deployment(principal, Action::Read)?;
        Ok(self.parts.snapshots.current().token.applications().into_iter().cloned().collect())
    }

    /// One application.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::NotFound`].
    pub fn application(&self, principal: &Principal, key: ApplicationKey) -> Result<Application, Error> {
        self.require_deployment(principal, Action::Read)?;
        self.find_application(key)
    }

    /// Changes an application; the secret is in the answer only if a new one was drawn.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::NotFound`],
    /// [`Error::Invalid`], [`Error::Store`].
    pub async fn update_application(
        &self,
        principal: &Principal,
        key: ApplicationKey,
        patch: ApplicationPatch,
    ) -> Result<(Application, Option<Secret>), Error> {
        let mut attempt = 1;
        loop {
            match self.try_update_application(principal, key, &patch).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_stale(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    /// Reads the storage, not the snapshot: that may be a moment behind a change it competes with.
    async fn try_update_application(
        &self,
        principal: &Principal,
        key: ApplicationKey,
        patch: &ApplicationPatch,
    ) -> Result<(Application, Option<Secret>), Error> {
        self.require_deployment(principal, Action::Update)?;
        let is_meant = |application: &Application| match key {
            ApplicationKey::Id(id) => application.id == id,
            ApplicationKey::Number(number) => application.number == number,
        };
        let before = self.parts.store.applications().await?.into_iter().find(is_meant);
        let before = before.ok_or(Error::NotFound { what: "application" })?;
        let client_type = patch.client_type.unwrap_or(before.client_type);
        let (hash, secret) = match (client_type, before.secret) {
            (ClientType::Public, _) => (None, None),
            (ClientType::Confidential, Some(hash)) => (Some(hash), None),
            (ClientType::Confidential, None) => self.draw_client_secret(),
        };
        let mut after = Application { client_type, secret: hash, ..before.clone() };
        if let Some(name) = &patch.name {
            after.name.clone_from(name);
        }
        if let Some(redirect_uris) = &patch.redirect_uris {
            after.redirect_uris.clone_from(redirect_uris);
        }
        after.grant = patch.grant.unwrap_or(before.grant);
        check(&after)?;
        let id = after.id;
        let change = Change::ApplicationUpdated { before: Box::new(before), after: Box::new(after) };
        // A grant may have been taken away.
        let kind = "auth.application.updated";
        self.commit_deployment_taking_rights(kind, &id.to_string(), change, principal).await?;
        Ok((self.find_application(ApplicationKey::Id(id))?, secret))
    }

    /// Removes an application; tokens issued to it stop working everywhere.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::NotFound`], [`Error::Store`].
    pub async fn delete_application(&self, principal: &Principal, key: ApplicationKey) -> Result<(), Error> {
        self.require_deployment(principal, Action::Delete)?;
        let application = self.find_application(key)?.id;
        let change = Change::ApplicationDeleted { application };
        let kind = "auth.application.deleted";
        self.commit_deployment_taking_rights(kind, &application.to_string(), change, principal).await?;
        Ok(())
    }

    pub(super) fn require_deployment(&self, principal: &Principal, action: Action) -> Result<(), Error> {
        let snapshot = self.parts.snapshots.current();
        snapshot.check(principal, action, Resource::Deployment).require().map(drop)
    }

    async fn register_application(
        &self,
        principal: &Principal,
        new: NewApplication,
    ) -> Result<(Application, Option<Secret>), Error> {
        let now = self.parts.clock.now();
        let (hash, secret) = match new.client_type {
            ClientType::Public => (None, None),
            ClientType::Confidential => self.draw_client_secret(),
        };
        let application = Application {
            id: ApplicationId::generate(now, &*self.parts.random),
            number: 0,
            client_id: new.client_id.unwrap_or_else(|| self.draw_text()),
            secret: hash,
            name: new.name,
            client_type: new.client_type,
            grant: new.grant,
            redirect_uris: new.redirect_uris,
            user: principal.user(),
            created_at: now,
        };
        check(&application)?;
        let (id, change) = (application.id, Change::ApplicationCreated(application));
        let written =
            self.commit_deployment("auth.application.created", &id.to_string(), change, principal).await;
        match written {
            Err(StoreError::Taken { field }) => {
                Err(Error::field(field, "application with this client id already exists."))
            }
            Err(error) => Err(error.into()),
            Ok(()) => Ok((self.find_application(ApplicationKey::Id(id))?, secret)),
        }
    }

    fn draw_client_secret(&self) -> (Option<SecretHash>, Option<Secret>) {
        let secret = self.draw_text();
        (Some(SecretHash::of(secret.as_bytes())), Some(Secret::new(secret)))
    }

    fn draw_text(&self) -> String {
        let mut bytes = [0; 32];
        self.parts.random.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn find_application(&self, key: ApplicationKey) -> Result<Application, Error> {
        let snapshot = self.parts.snapshots.current();
        let found = match key {
            ApplicationKey::Id(id) => snapshot.token.application(id).cloned(),
            ApplicationKey::Number(number) => {
                let mut all = snapshot.token.applications().into_iter();
                all.find(|application| application.number == number).cloned()
            }
        };
        found.ok_or(Error::NotFound { what: "application" })
    }
}

/// Our client ids need no escaping in HTTP Basic or in a form.
fn check(application: &Application) -> Result<(), Error> {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let id = &application.client_id;
    if id.is_empty() || id.len() > CLIENT_ID_LENGTH_MAX || !id.bytes().all(unreserved) {
        let rule = format!("1 to {CLIENT_ID_LENGTH_MAX} letters, digits, `-`, `.`, `_` or `~`.");
        return Err(Error::field("client_id", rule));
    }
    for (field, text) in [("name", &application.name), ("redirect_uris", &application.redirect_uris)] {
        if text.len() > TEXT_LENGTH_MAX {
            return Err(Error::field(field, format!("at most {TEXT_LENGTH_MAX} bytes.")));
        }
        let mut input = Input::default();
        input.no_null(field, text);
        input.done()?;
    }
    let mut uris = application.redirect_uris.split_whitespace();
    if application.grant == ApplicationGrant::AuthorizationCode
        && let Some(unusable) = uris.find(|uri| !is_redirect_uri(uri))
    {
        let rule = format!(
            "`{unusable}` cannot be one: expected `https://…`, `http://localhost…` or an application's own \
             scheme with a dot in it, without a fragment."
        );
        return Err(Error::field("redirect_uris", rule));
    }
    if application.grant == ApplicationGrant::ClientCredentials
        && application.client_type == ClientType::Public
    {
        return Err(Error::field("client_type", "the client-credentials grant needs a confidential client."));
    }
    Ok(())
}
