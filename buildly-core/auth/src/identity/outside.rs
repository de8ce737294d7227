//! Signing in by what an outside provider vouches for: an account for each issuer and subject.
//!
//! The account belongs to the pair of issuer and subject, which a provider never gives to
//! somebody else (OpenID Connect Core 1.0 section 5.7). An address of mail is no such thing: it is
//! followed to an account that is there only where the deployment trusts the issuer with it.

use buildly_journal::{Event, Part};
use buildly_model::{GroupId, Identity, OrganizationId, Principal, StoreError, Timestamp, UserId};
use serde_json::json;

use super::input::{Input, is_email};
use super::last_admin::GROUPS_MAX;
use super::one_time::draw_secret;
use super::parts::{ATTEMPTS_MAX, is_stale};
use super::{Change, Group, Organization, PasswordHash, Profile, Scope, User, UserKey};
use crate::token::Issued;
use crate::{Auth, Error};

/// How many characters of chance a name gets that somebody else has already.
const SUFFIX_LENGTH: usize = 6;
/// More accounts of one address than one say that it is nobody's alone.
const ACCOUNTS_MAX: u32 = 2;

/// Somebody whom an outside provider vouches for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutsideIdentity {
    /// Who vouches, such as the issuer of an OpenID Connect provider; at most 255 characters.
    pub issuer: String,
    /// Whom the issuer means: never given to anybody else; at most 255 characters.
    pub subject: String,
    /// The name that a new user gets, if it is free; else one like it.
    pub username: Option<String>,
    /// The address for mail.
    pub email: Option<String>,
    /// Whether the issuer has seen that the address is theirs.
    pub email_verified: bool,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The name of the organization that a new user comes to; there has to be one of that name.
    /// It moves nobody who belongs somewhere already.
    pub organization: String,
    /// The names of the groups of that organization that the user is in, beside those that every
    /// new user joins; names that no group has are passed over. The provider has the last word
    /// each time: other groups of the organization are left, those of the deployment are not, and
    /// nothing happens to who belongs to another organization by now.
    /// `None` leaves the groups to Buildly.
    pub groups: Option<Vec<String>>,
}

impl Auth {
    /// Signs in whom a security extension has proven: finds the user of that issuer and subject,
    /// or makes one, and opens a session with tokens of this deployment.
    ///
    /// An account that is there already is taken only if the issuer is one of
    /// [`Settings::issuers_trusted_with_email`](super::Settings), says that it has verified the
    /// address, and exactly one account has that address, verified here too, in the organization
    /// that the extension names, without rights over the deployment.
    ///
    /// # Errors
    /// [`Error::AwaitingApproval`] if the account is switched off; [`Error::Invalid`] names what
    /// of the identity cannot be taken, such as an organization that is not there.
    pub async fn open_session_of(&self, outside: &OutsideIdentity) -> Result<Issued, Error> {
        check(outside)?;
        let mut attempt = 1;
        let user = loop {
            match self.user_of(outside, attempt).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_race(&error) => attempt += 1,
                other => break other?,
            }
        };
        self.start_session_of(&user).await
    }

    async fn user_of(&self, outside: &OutsideIdentity, attempt: u32) -> Result<User, Error> {
        let linked = self.parts.store.find_outside_identity(&outside.issuer, &outside.subject).await?;
        let user = match linked {
            Some(user) => self.user_that_may_sign_in(user).await?,
            None => self.link(outside, attempt).await?,
        };
        self.follow_groups(user, outside).await
    }

    async fn user_that_may_sign_in(&self, user: UserId) -> Result<User, Error> {
        let found = self.parts.store.find_user(Scope::Deployment, UserKey::Id(user)).await?;
        let user = found.ok_or(Error::WrongCredentials)?;
        if user.is_active { Ok(user) } else { Err(Error::AwaitingApproval) }
    }

    /// The first time: an account that is there, or a new one.
    async fn link(&self, outside: &OutsideIdentity, attempt: u32) -> Result<User, Error> {
        let named = self.parts.store.find_organization_named(&outside.organization).await?;
        let unknown = || Error::field("organization", "There is no such organization; make it first.");
        let organization = named.ok_or_else(unknown)?;
        let now = self.now();
        let (user, part) = match self.account_of_address(outside, &organization).await? {
            Some(user) if !user.is_active => return Err(Error::AwaitingApproval),
            Some(user) => {
                let (change, event) = self.linked(outside, user.id, "verified address", now);
                let part = Part::of(user.organization, change, event);
                (user, part)
            }
            None => self.newcomer(outside, &organization, attempt, now).await?,
        };
        self.commit_part(part).await?;
        self.user_that_may_sign_in(user.id).await
    }

    /// The one account of a verified address that may be taken for it.
    async fn account_of_address(
        &self,
        outside: &OutsideIdentity,
        organization: &Organization,
    ) -> Result<Option<User>, Error> {
        let Some(email) = outside.email.as_deref().filter(|_| outside.email_verified) else {
            return Ok(None);
        };
        if !self.settings().issuers_trusted_with_email.contains(&outside.issuer) {
            return Ok(None);
        }
        let mut found = self.parts.store.users_with_email(email, ACCOUNTS_MAX).await?;
        let Some(user) = found.pop().filter(|_| found.is_empty()) else { return Ok(None) };
        let groups = self.parts.store.groups_by_id(&user.groups).await?;
        // Whoever registered it with somebody else's address has a password to it.
        let is_theirs = user.email_verified && user.organization == Some(organization.id);
        let is_powerful = user.is_superuser || groups.iter().any(|group| group.organization.is_none());
        Ok(Some(user).filter(|_| is_theirs && !is_powerful))
    }

    async fn newcomer(
        &self,
        outside: &OutsideIdentity,
        organization: &Organization,
        attempt: u32,
        now: Timestamp,
    ) -> Result<(User, Part<Change>), Error> {
        let email = outside.email.clone().filter(|email| is_email(email));
        let user = User {
            id: UserId::generate(now, &*self.parts.random),
            number: 0,
            organization: Some(organization.id),
            username: self.free_name(outside, attempt).await?,
            email_verified: outside.email_verified && email.is_some(),
            email: email.unwrap_or_default(),
            first_name: outside.first_name.clone(),
            last_name: outside.last_name.clone(),
            is_active: true,
            is_superuser: false,
            credential_version: 1,
            profile: Profile::default(),
            groups: self.default_groups(organization.id).await?,
            version: 1,
            created_at: now,
            edited_at: now,
        };
        let facts = json!({"username": user.username, "is_active": true, "groups": user.groups});
        let created =
            self.event(&as_user(user.id, Some(organization.id)), "auth.user.created", user.id, facts);
        let (link, linked) = self.linked(outside, user.id, "new user", now);
        let password_hash = PasswordHash::none();
        let changes = vec![Change::UserCreated { user: Box::new(user.clone()), password_hash }, link];
        Ok((user, Part::of_all(Some(organization.id), changes, vec![created, linked])))
    }

    fn linked(
        &self,
        outside: &OutsideIdentity,
        user: UserId,
        by: &'static str,
        at: Timestamp,
    ) -> (Change, Event) {
        let (issuer, subject) = (outside.issuer.clone(), outside.subject.clone());
        let facts = json!({"issuer": issuer, "subject": subject, "by": by});
        let event = self.event(&Principal::ANONYMOUS, "auth.user.outside_identity_linked", user, facts);
        (Change::OutsideIdentityLinked { issuer, subject, user, at }, event)
    }

    /// A name to sign in with that nobody has: the one that is wished for, or one like it.
    async fn free_name(&self, outside: &OutsideIdentity, attempt: u32) -> Result<String, Error> {
        let local = outside.email.as_deref().and_then(|email| email.split('@').next());
        let wished = [outside.username.as_deref(), local].into_iter().flatten();
        let wished = wished.map(str::trim).find(|name| Input::default().username(name)).unwrap_or("user");
        if attempt == 1 && self.find_credentials(wished).await?.is_none() {
            return Ok(wished.to_owned());
        }
        let chance = draw_secret(&*self.parts.random);
        let suffix: String = chance.expose().chars().filter(char::is_ascii_alphanumeric).collect();
        let suffix: String = suffix.chars().take(SUFFIX_LENGTH).collect();
        let kept: String = wished.chars().take(NAME_KEPT_MAX).collect();
        Ok(format!("{kept}-{}", suffix.to_ascii_lowercase()))
    }

    /// Puts the user into the groups that the provider says.
    async fn follow_groups(&self, user: User, outside: &OutsideIdentity) -> Result<User, Error> {
        let (Some(names), Some(organization)) = (&outside.groups, user.organization) else { return Ok(user) };
        // Who has moved on since has left the provider's reach: names mean other groups elsewhere.
        let named = self.parts.store.find_organization_named(&outside.organization).await?;
        if named.is_none_or(|named| named.id != organization) {
            return Ok(user);
        }
        let groups = self.parts.store.groups(Scope::Organization(organization), None, GROUPS_MAX).await?;
        let is_named = |group: &Group| group.is_default || names.contains(&group.name);
        let held = self.parts.store.groups_by_id(&user.groups).await?;
        let of_deployment = held.iter().filter(|group| group.organization.is_none());
        let own = groups.iter().filter(|group| group.organization == Some(organization) && is_named(group));
        let mut wanted: Vec<GroupId> = of_deployment.chain(own).map(|group| group.id).collect();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.len() == user.groups.len() && user.groups.iter().all(|group| wanted.contains(group)) {
            return Ok(user);
        }
        let next = User { groups: wanted, edited_at: self.now(), ..user.clone() };
        let part = match self.update_part(&as_user(user.id, user.organization), &user, next, None).await {
            Err(Error::Conflict { reason }) => {
                tracing::warn!(user = %user.id, reason, "groups of an outside provider were not followed");
                return Ok(user);
            }
            other => other?,
        };
        self.commit_part(part).await?;
        self.user_that_may_sign_in(user.id).await
    }
}

/// Leaves room for the suffix in the longest name.
const NAME_KEPT_MAX: usize = 140;

fn as_user(user: UserId, organization: Option<OrganizationId>) -> Principal {
    Principal { identity: Identity::User(user), organization, ..Principal::ANONYMOUS }
}

fn check(outside: &OutsideIdentity) -> Result<(), Error> {
    let mut input = Input::default();
    for (field, text) in
        [("issuer", &outside.issuer), ("subject", &outside.subject), ("organization", &outside.organization)]
    {
        input.name(field, text);
    }
    for (field, text) in [("first_name", &outside.first_name), ("last_name", &outside.last_name)] {
        if !text.is_empty() {
            input.name(field, text);
        }
    }
    input.done()
}

/// Somebody else was faster: signed in at the same time, or took the name.
fn is_race(error: &Error) -> bool {
    let taken = |field: &str| ["username", "outside_identity"].contains(&field);
    is_stale(error) || matches!(error, Error::Store(StoreError::Taken { field }) if taken(field))
}
