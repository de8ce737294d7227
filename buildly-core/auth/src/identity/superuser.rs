//! The first user of a deployment, made by its operator.

use buildly_journal::Part;
use buildly_model::{Actions, Identity, Principal, Secret, StoreError, UserId};
use serde_json::json;

use super::founding::{found, new_group};
use super::input::Input;
use super::view::UserView;
use super::{Change, Group, Profile, Scope, User};
use crate::permission::Reason;
use crate::{Auth, Error};

/// The first superuser is among the first users.
const USERS_SEARCHED_MAX: u32 = 1000;

/// A superuser to be made.
#[derive(Debug, Clone)]
pub struct NewSuperuser {
    /// The name to sign in with.
    pub username: String,
    /// The address for mail; may be empty.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// Where the superuser belongs; it is made if there is none of that name.
    pub organization_name: String,
}

impl Auth {
    /// Makes a superuser, in the global group `Global Admin` and in its organization's admin
    /// group if the organization is new.
    ///
    /// For the operator only: it asks nobody's permission.
    ///
    /// # Errors
    /// [`Error::Invalid`] names every refused field.
    pub async fn create_superuser(&self, new: &NewSuperuser) -> Result<UserView, Error> {
        let mut input = Input::default();
        input.username(&new.username);
        input.name("organization", &new.organization_name);
        input.password("password", &new.password, self.settings());
        if !new.email.is_empty() {
            input.email("email", &new.email);
        }
        input.done()?;
        let password_hash = self.identity.hasher.hash(&new.password).await?;
        let (principal, now) = (&Principal::ANONYMOUS, self.now());
        let (mut changes, mut events) = (Vec::new(), Vec::new());
        let existing = self.parts.store.find_organization_named(&new.organization_name).await?;
        let (organization, mut groups) = match existing {
            Some(organization) => (organization.id, self.default_groups(organization.id).await?),
            None => {
                let founding = found(&new.organization_name, now, &*self.parts.random);
                self.founding(principal, &founding, &mut changes, &mut events);
                (founding.organization.id, founding.founder_groups())
            }
        };
        let (global, global_part) = self.global_admin_group(principal).await?;
        groups.push(global);
        let user = User {
            id: UserId::generate(now, &*self.parts.random),
            number: 0,
            organization: Some(organization),
            username: new.username.clone(),
            email: new.email.trim().to_owned(),
            email_verified: false,
            first_name: "System".to_owned(),
            last_name: "Admin".to_owned(),
            is_active: true,
            is_superuser: true,
            credential_version: 1,
            profile: Profile::default(),
            groups,
            version: 1,
            created_at: now,
            edited_at: now,
        };
        let facts = json!({"username": user.username, "is_superuser": true, "groups": user.groups});
        events.push(self.event(principal, "auth.user.created", user.id, facts));
        let id = user.id;
        changes.push(Change::UserCreated { user: Box::new(user), password_hash });
        let part = Part::of_all(Some(organization), changes, events);
        let parts = global_part.into_iter().chain([part]);
        let parts = parts.map(|part| part.map(crate::Change::Identity)).collect();
        self.parts.commits.commit_all(parts).await.map_err(|error| match error {
            StoreError::Taken { field: "username" } => {
                Error::field("username", "A user with that username already exists.")
            }
            other => other.into(),
        })?;
        self.view_by_id(id).await
    }

    /// The first active superuser, in whose name the operator's commands act.
    ///
    /// For the operator only: it asks for no proof.
    ///
    /// # Errors
    /// [`Error::Conflict`] if there is none yet.
    pub async fn operator(&self) -> Result<Principal, Error> {
        let users = self.parts.store.users(Scope::Deployment, None, USERS_SEARCHED_MAX).await?;
        let found = users.into_iter().find(|user| user.is_superuser && user.is_active);
        let user = found.ok_or_else(|| Error::Conflict {
            reason: "there is no superuser to act for; make one with `buildly admin create`".to_owned(),
        })?;
        Ok(Principal {
            identity: Identity::User(user.id),
            organization: user.organization,
            ..Principal::ANONYMOUS
        })
    }

    /// The active user of that name, for commands that act in a user's name.
    ///
    /// For the operator only: it asks for no proof. What the user may do is asked at each operation.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such user, [`Error::Forbidden`] if it is not active.
    pub async fn acting_as(&self, username: &str) -> Result<Principal, Error> {
        let found = self.find_credentials(username).await?.ok_or(Error::NotFound { what: "user" })?;
        if !found.is_active {
            return Err(Error::Forbidden(Reason::Inactive));
        }
        Ok(Principal {
            identity: Identity::User(found.user),
            organization: found.organization,
            ..Principal::ANONYMOUS
        })
    }

    /// The global admin group, and what makes it if there is none yet.
    async fn global_admin_group(
        &self,
        principal: &Principal,
    ) -> Result<(buildly_model::GroupId, Option<Part<Change>>), Error> {
        let groups = self.parts.store.deployment_rows().await?.groups;
        if let Some(group) = groups.iter().find(|group| group.is_global_admin()) {
            return Ok((group.id, None));
        }
        let group = Group {
            name: Group::GLOBAL_ADMIN.to_owned(),
            permissions: Actions::ALL,
            is_global: true,
            ..new_group(None, self.now(), &*self.parts.random)
        };
        let event = self.event(principal, "auth.group.created", group.id, json!({"name": group.name}));
        Ok((group.id, Some(Part::of(None, Change::GroupCreated(group), event))))
    }
}
