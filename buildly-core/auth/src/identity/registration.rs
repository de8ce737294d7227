//! Registration: a new organization makes its founder the administrator, an existing one
//! takes a new member in only once an administrator approves, an invitation is an approval.

use buildly_journal::Part;
use buildly_model::{GroupId, OrganizationId, Principal, Secret, StoreError, Timestamp, UserId};
use serde_json::json;

use super::caller::Caller;
use super::founding::{Founding, found};
use super::input::Input;
use super::last_admin::GROUPS_MAX;
use super::parts::{ATTEMPTS_MAX, is_stale};
use super::profile::ProfileUpdate;
use super::user_update::{GroupChoice, chosen_groups};
use super::view::UserView;
use super::{Change, Group, GroupKey, Invitation, Organization, PasswordHash, Profile, Scope, User, mail};
use crate::permission::Reason;
use crate::{Auth, Error};

/// What somebody registers with.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The name to sign in with.
    pub username: String,
    /// The address for mail; may be empty.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// Where to: a new name makes a new organization.
    pub organization_name: String,
    /// What the user says about themself.
    pub profile: ProfileUpdate,
    /// An invitation's secret.
    pub invitation: Option<String>,
    /// Counts only if an administrator of the organization registers somebody.
    pub groups: Vec<GroupKey>,
}

/// Where the new user comes to.
enum Destination {
    Founded(Box<Founding>),
    /// Active, since an administrator invites, or registers somebody.
    Approved(Organization, Option<Box<Invitation>>),
    /// Inactive until an administrator approves.
    Waiting(Organization),
}

impl Auth {
    /// Registers a user.
    ///
    /// # Errors
    /// [`Error::Invalid`] names every refused field; [`Error::Forbidden`] if the deployment
    /// takes only invited users.
    pub async fn register(
        &self,
        principal: &Principal,
        registration: &Registration,
    ) -> Result<UserView, Error> {
        self.check_registration(registration).await?;
        // A refusal must not cost a hash.
        self.plan_registration(principal, registration).await?;
        let password = self.hash_of_newcomer(principal, registration).await?;
        let mut attempt = 1;
        loop {
            match self.try_register(principal, registration, &password).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_race(&error) => attempt += 1,
                Err(Error::Store(StoreError::Taken { field: "username" })) => {
                    return Err(Error::field("username", USERNAME_TAKEN));
                }
                other => return other,
            }
        }
    }

    /// Whoever is signed in answers for what they ask.
    async fn hash_of_newcomer(
        &self,
        principal: &Principal,
        registration: &Registration,
    ) -> Result<PasswordHash, Error> {
        let _turn = match principal.is_signed_in() {
            true => None,
            false => Some(self.identity.strangers.wait().await?),
        };
        self.identity.hasher.hash(&registration.password).await
    }

    async fn check_registration(&self, registration: &Registration) -> Result<(), Error> {
        let mut input = Input::default();
        let may_be_taken = input.username(&registration.username);
        input.password("password", &registration.password, self.settings());
        if !registration.email.is_empty() {
            input.email("email", &registration.email);
        }
        registration.profile.check(&mut input);
        input.count("core_groups", registration.groups.len(), GROUPS_OF_USER_MAX);
        if registration.invitation.is_none() {
            input.name("organization_name", &registration.organization_name);
        }
        if may_be_taken && self.find_credentials(&registration.username).await?.is_some() {
            input.refuse("username", USERNAME_TAKEN);
        }
        input.done()
    }

    async fn try_register(
        &self,
        principal: &Principal,
        registration: &Registration,
        password: &PasswordHash,
    ) -> Result<UserView, Error> {
        let (destination, user) = self.plan_registration(principal, registration).await?;
        let (id, now) = (user.id, user.created_at);
        self.commit_part(self.registration_part(principal, &destination, user, password, now)).await?;
        let view = self.view_by_id(id).await?;
        self.announce(&destination, &view).await?;
        Ok(view)
    }

    /// Decides who comes where; writes nothing.
    async fn plan_registration(
        &self,
        principal: &Principal,
        registration: &Registration,
    ) -> Result<(Destination, User), Error> {
        let now = self.now();
        let caller = self.caller_if_any(principal).await?;
        let destination = self.destination(caller.as_ref(), registration, now).await?;
        let user = self.new_user(caller.as_ref(), registration, &destination, now).await?;
        Ok((destination, user))
    }

    async fn destination(
        &self,
        caller: Option<&Caller<'_>>,
        registration: &Registration,
        now: Timestamp,
    ) -> Result<Destination, Error> {
        if let Some(secret) = &registration.invitation {
            let (invitation, organization) = match self.find_invitation(secret, now).await {
                Err(Error::Invitation(fault)) => {
                    return Err(Error::field("invitation_token", fault.to_string()));
                }
                other => other?,
            };
            return Ok(Destination::Approved(organization, Some(Box::new(invitation))));
        }
        let name = &registration.organization_name;
        let existing = self.parts.store.find_organization_named(name).await?;
        let by_admin = |organization: &Organization| {
            caller.is_some_and(|caller| caller.require_admin_of(Some(organization.id)).is_ok())
        };
        match existing {
            Some(organization) if by_admin(&organization) => Ok(Destination::Approved(organization, None)),
            _ if !self.settings().registration_is_open && !caller.is_some_and(Caller::is_global_admin) => {
                Err(Error::Forbidden(Reason::InvitationNeeded))
            }
            Some(organization) => Ok(Destination::Waiting(organization)),
            None => Ok(Destination::Founded(Box::new(found(name, now, &*self.parts.random)))),
        }
    }

    async fn new_user(
        &self,
        caller: Option<&Caller<'_>>,
        registration: &Registration,
        destination: &Destination,
        now: Timestamp,
    ) -> Result<User, Error> {
        let mut profile = Profile::default();
        registration.profile.apply(&mut profile);
        let (organization, groups, is_active) = match destination {
            Destination::Founded(founding) => (founding.organization.id, founding.founder_groups(), true),
            Destination::Waiting(organization) => {
                (organization.id, self.default_groups(organization.id).await?, false)
            }
            Destination::Approved(organization, invitation) => {
                let mut groups = self.default_groups(organization.id).await?;
                if let (Some(caller), None) = (caller, invitation) {
                    let asked = self.find_groups(&registration.groups).await?;
                    let choice =
                        GroupChoice { organization: Some(organization.id), held: &[], asked: &asked };
                    groups.extend(chosen_groups(caller, &choice)?.iter().map(|group| group.id));
                    groups.sort_unstable();
                    groups.dedup();
                }
                (organization.id, groups, true)
            }
        };
        Ok(User {
            id: UserId::generate(now, &*self.parts.random),
            number: 0,
            organization: Some(organization),
            username: registration.username.clone(),
            email: registration.email.trim().to_owned(),
            // Not even by an invitation: whoever invites sees its link, too.
            email_verified: false,
            first_name: registration.profile.first_name.clone().unwrap_or_default(),
            last_name: registration.profile.last_name.clone().unwrap_or_default(),
            is_active,
            is_superuser: false,
            credential_version: 1,
            profile,
            groups,
            version: 1,
            created_at: now,
            edited_at: now,
        })
    }

    /// The groups that every new user of the organization joins.
    pub(crate) async fn default_groups(&self, organization: OrganizationId) -> Result<Vec<GroupId>, Error> {
        let groups = self.parts.store.groups(Scope::Organization(organization), None, GROUPS_MAX).await?;
        Ok(groups.iter().filter(|group| group.is_default).map(|group| group.id).collect())
    }

    fn registration_part(
        &self,
        principal: &Principal,
        destination: &Destination,
        user: User,
        password: &PasswordHash,
        now: Timestamp,
    ) -> Part<Change> {
        let (mut changes, mut events) = (Vec::new(), Vec::new());
        match destination {
            Destination::Founded(founding) => self.founding(principal, founding, &mut changes, &mut events),
            Destination::Approved(_, Some(invitation)) => {
                changes.push(Change::InvitationUsed { invitation: invitation.id, at: now });
                events.push(self.event(
                    principal,
                    "auth.invitation.used",
                    invitation.id,
                    json!({"user": user.id}),
                ));
            }
            Destination::Approved(_, None) | Destination::Waiting(_) => {}
        }
        let facts = json!({"username": user.username, "is_active": user.is_active, "groups": user.groups});
        events.push(self.event(principal, "auth.user.created", user.id, facts));
        let organization = user.organization;
        changes.push(Change::UserCreated { user: Box::new(user), password_hash: password.clone() });
        Part::of_all(organization, changes, events)
    }

    /// Adds an organization with its groups to what is written.
    pub(crate) fn founding(
        &self,
        principal: &Principal,
        founding: &Founding,
        changes: &mut Vec<Change>,
        events: &mut Vec<buildly_journal::Event>,
    ) {
        let organization = &founding.organization;
        changes.push(Change::OrganizationCreated(Box::new(organization.clone())));
        let facts = json!({"name": organization.name});
        events.push(self.event(principal, "auth.organization.created", organization.id, facts));
        for group in founding.groups() {
            changes.push(Change::GroupCreated(group.clone()));
            let facts = json!({"name": group.name, "permissions": group.permissions.bits()});
            events.push(self.event(principal, "auth.group.created", group.id, facts));
        }
    }

    /// Tells those who have to know.
    async fn announce(&self, destination: &Destination, view: &UserView) -> Result<(), Error> {
        let frontend = &self.settings().frontend_url;
        let username = &view.user.username;
        match destination {
            Destination::Founded(founding) => {
                if let Some(support) = &self.settings().support_email {
                    let name = &founding.organization.name;
                    self.notice(mail::approval_request(support, username, name, frontend));
                }
            }
            Destination::Approved(organization, _) | Destination::Waiting(organization) => {
                for email in self.admin_emails(organization.id).await? {
                    self.notice(mail::approval_request(&email, username, &organization.name, frontend));
                }
            }
        }
        Ok(())
    }

    /// The addresses of an organization's administrators, each once.
    pub(crate) async fn admin_emails(&self, organization: OrganizationId) -> Result<Vec<String>, Error> {
        let memberships = self.parts.store.admin_memberships(organization).await?;
        let admins: Vec<UserId> =
            memberships.iter().map(|membership| membership.user).take(ADMINS_TOLD_MAX).collect();
        let admins = self.parts.store.users_by_id(Scope::Organization(organization), &admins).await?;
        let mut emails: Vec<String> =
            admins.into_iter().map(|user| user.email).filter(|email| !email.is_empty()).collect();
        emails.sort();
        emails.dedup();
        Ok(emails)
    }

    pub(crate) async fn find_groups(&self, keys: &[GroupKey]) -> Result<Vec<Group>, Error> {
        let mut groups = Vec::new();
        for key in keys {
            let found = self.parts.store.find_group(Scope::Deployment, *key).await?;
            groups.push(found.ok_or_else(|| unknown_group(*key))?);
        }
        Ok(groups)
    }
}

/// The most groups that one user may be put into.
pub(crate) const GROUPS_OF_USER_MAX: usize = 100;
/// How many administrators are told of a new member.
const ADMINS_TOLD_MAX: usize = 20;
const USERNAME_TAKEN: &str = "A user with that username already exists.";

/// The sentence for a group that is not there, or not for the caller.
pub(crate) fn unknown_group(key: GroupKey) -> Error {
    let key = match key {
        GroupKey::Id(id) => id.to_string(),
        GroupKey::Number(number) => number.to_string(),
    };
    Error::field("core_groups", format!("Invalid pk \"{key}\" - object does not exist."))
}

/// Somebody else was faster: founded the organization, used the invitation, removed a group.
fn is_race(error: &Error) -> bool {
    is_stale(error)
        || matches!(
            error,
            Error::Store(StoreError::Taken { field: "organization_name" } | StoreError::Missing { .. })
        )
}
