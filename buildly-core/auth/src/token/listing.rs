//! Tokens listed and ended by superusers, and what is forgotten of them in time.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use buildly_journal::{Event, Part};
use buildly_model::{Action, Principal, Timestamp, TokenId, UserId};
use serde_json::json;

use super::{AccessToken, Change, Listed, RefreshToken, Session};
use crate::identity::{Scope, UserView};
use crate::{Auth, Error};

/// How many sessions are forgotten in one commit.
const FORGOTTEN_MAX: u32 = 1000;
/// How long after its last token a session is forgotten.
const KEPT: Duration = Duration::from_secs(60 * 60);
/// How exact the last use of an API key is.
const USE_GRAIN: Duration = Duration::from_secs(5 * 60);

/// A listed token: by its number on the old wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKey {
    /// An access token.
    Access(i64),
    /// A refresh token.
    Refresh(i64),
}

/// A listed token with whoever it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Owned<T> {
    /// The user, if it is one's and still there.
    pub owner: Option<UserView>,
    /// The session.
    pub session: Session,
    /// The token.
    pub token: T,
}

/// The name to filter by is nobody's.
struct NoSuchUser;

impl Auth {
    /// Access tokens that have not ended, by number, after number `after`, at most
    /// `tokens_max`: of the user of that name, or of all.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::Store`].
    pub async fn access_tokens(
        &self,
        principal: &Principal,
        username: Option<&str>,
        after: i64,
        tokens_max: u32,
    ) -> Result<Vec<Owned<AccessToken>>, Error> {
        self.require_deployment(principal, Action::Read)?;
        let Ok(user) = self.named(username).await? else { return Ok(Vec::new()) };
        let now = self.parts.clock.now();
        let rows = self.parts.store.list_access_tokens(user, now, after, tokens_max).await?;
        self.with_owners(rows).await
    }

    /// Refresh tokens, likewise; used and revoked ones too, until they are forgotten.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::Store`].
    pub async fn refresh_tokens(
        &self,
        principal: &Principal,
        username: Option<&str>,
        after: i64,
        tokens_max: u32,
    ) -> Result<Vec<Owned<RefreshToken>>, Error> {
        self.require_deployment(principal, Action::Read)?;
        let Ok(user) = self.named(username).await? else { return Ok(Vec::new()) };
        let rows = self.parts.store.list_refresh_tokens(user, after, tokens_max).await?;
        self.with_owners(rows).await
    }

    /// Ends the session of a listed token, with every token of it, on every node at once.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser, [`Error::NotFound`], [`Error::Store`].
    pub async fn end_session_of(&self, principal: &Principal, token: TokenKey) -> Result<(), Error> {
        self.require_deployment(principal, Action::Delete)?;
        let session = match token {
            TokenKey::Access(number) => {
                let (store, now) = (&self.parts.store, self.parts.clock.now());
                let rows = store.list_access_tokens(None, now, number.saturating_sub(1), 1).await?;
                rows.into_iter().find(|row| row.token.number == number).map(|row| row.session)
            }
            TokenKey::Refresh(number) => {
                let rows = self.parts.store.list_refresh_tokens(None, number.saturating_sub(1), 1).await?;
                rows.into_iter().find(|row| row.token.number == number).map(|row| row.session)
            }
        };
        let session = session.ok_or(Error::NotFound { what: "token" })?;
        Ok(self.end_session(&session, principal).await?)
    }

    /// Ends every session of a user, on every node at once.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless it is the caller's own or the caller is a superuser,
    /// [`Error::Store`].
    pub async fn end_sessions_of(&self, principal: &Principal, user: UserId) -> Result<(), Error> {
        let own = principal.user() == Some(user);
        if !own {
            self.require_deployment(principal, Action::Delete)?;
        }
        let organization = if own {
            principal.organization
        } else {
            let found = self.parts.store.members(&[user]).await?;
            found.first().ok_or(Error::NotFound { what: "user" })?.organization
        };
        loop {
            let living = self.parts.store.sessions_of(organization, user, FORGOTTEN_MAX).await?;
            for session in &living {
                self.end_session(session, principal).await?;
            }
            if living.len() < FORGOTTEN_MAX as usize {
                return Ok(());
            }
        }
    }

    /// Forgets sessions that have ended, and writes down when API keys were last used. Call
    /// it every few minutes, with an instant that is past for sure: what is forgotten too early,
    /// such as that a session was revoked, does not come back when the clock is put right.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn tidy_tokens(&self, now: Timestamp) -> Result<(), Error> {
        let used = self.parts.snapshots.current().token.unwritten_uses(USE_GRAIN);
        for (key, at) in used {
            self.note_api_key_use(key, at).await?;
        }
        let before = now.before(KEPT);
        if self.parts.store.has_ended_tokens(before).await? {
            let change = Change::SessionsForgotten { before, sessions_max: FORGOTTEN_MAX };
            self.commit_deployment("auth.session.forgotten", "deployment", change, &Principal::ANONYMOUS)
                .await?;
        }
        Ok(())
    }

    /// The user of that name, `Ok(None)` for everybody; the inner error if there is none such.
    async fn named(&self, username: Option<&str>) -> Result<Result<Option<UserId>, NoSuchUser>, Error> {
        let Some(username) = username else { return Ok(Ok(None)) };
        let found = self.find_credentials(username).await?;
        Ok(found.map(|found| Some(found.user)).ok_or(NoSuchUser))
    }

    async fn with_owners<T>(&self, rows: Vec<Listed<T>>) -> Result<Vec<Owned<T>>, Error> {
        let users: BTreeSet<UserId> = rows.iter().filter_map(|row| row.session.user).collect();
        let users: Vec<UserId> = users.into_iter().collect();
        let users = self.parts.store.users_by_id(Scope::Deployment, &users).await?;
        let views = self.views(users).await?;
        let views: HashMap<UserId, UserView> = views.into_iter().map(|view| (view.user.id, view)).collect();
        let owned = |row: Listed<T>| Owned {
            owner: row.session.user.and_then(|user| views.get(&user).cloned()),
            session: row.session,
            token: row.token,
        };
        Ok(rows.into_iter().map(owned).collect())
    }

    async fn note_api_key_use(&self, key: TokenId, at: Timestamp) -> Result<(), Error> {
        let snapshot = self.parts.snapshots.current();
        let Some((account, _)) = snapshot.token.api_key(key) else { return Ok(()) };
        let event = Event::new(
            "auth.service_account.key_used",
            account.id,
            json!({ "key": key, "at": at }),
            &Principal::ANONYMOUS,
            &*self.parts.clock,
            &*self.parts.random,
        );
        let change = Change::ApiKeysUsed { used: vec![(key, at)] };
        self.parts.commits.commit(Part::of(Some(account.organization), change.into(), event)).await?;
        Ok(())
    }
}
