//! Organizations.

use buildly_journal::Part;
use buildly_model::{Action, OrganizationId, Principal, StoreError};
use serde_json::{Value, json};

use super::founding::found_as;
use super::input::{Input, REQUIRED};
use super::parts::{ATTEMPTS_MAX, is_stale};
use super::view::List;
use super::{Change, Organization, OrganizationDetails, Place, Scope};
use crate::permission::{Reason, Resource};
use crate::{Auth, Error};

/// What changes of an organization, or what a new one is; `None` stays. The inner `None` clears.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OrganizationUpdate {
    /// Unique in the deployment, compared without case.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<Option<String>>,
    /// Its web page.
    pub organization_url: Option<Option<String>>,
    /// The industries it works in.
    pub industries: Option<Vec<String>>,
    /// Domains whose users may sign up by a social sign-in.
    pub oauth_domains: Option<Option<Vec<String>>>,
    /// How its people write dates.
    pub date_format: Option<String>,
    /// Its telephone number.
    pub phone: Option<Option<String>>,
    /// Whether its people may import and export.
    pub allow_import_export: Option<bool>,
    /// A radius in the unit of its front end.
    pub radius: Option<f64>,
    /// The number of its organization type.
    pub organization_type: Option<Option<i64>>,
    /// What the payment service says.
    pub stripe_subscription_details: Option<Option<Value>>,
    /// The link by which it brings others in.
    pub referral_link: Option<Option<String>>,
}

impl Auth {
    /// The organizations that the caller sees, by name, after a place.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub async fn organizations(
        &self,
        principal: &Principal,
        after: Option<&Place>,
    ) -> Result<List<Organization>, Error> {
        let caller = self.caller(principal).await?;
        let rows_max = self.settings().rows_max;
        let Some(scope) = caller.scope() else { return Ok(List::of(Vec::new(), rows_max)) };
        let rows = self.parts.store.organizations(scope, after, rows_max.saturating_add(1)).await?;
        Ok(List::placed(rows, rows_max, place))
    }

    /// The names of all organizations, for a registration form, after a place.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless registration is open.
    pub async fn organization_names(&self, after: Option<&Place>) -> Result<List<String>, Error> {
        if !self.settings().registration_is_open {
            return Err(Error::Forbidden(Reason::InvitationNeeded));
        }
        let rows_max = self.settings().rows_max;
        let rows =
            self.parts.store.organizations(Scope::Deployment, after, rows_max.saturating_add(1)).await?;
        Ok(List::placed(rows, rows_max, place).map(|organization| organization.name))
    }

    /// One organization.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless it is the caller's own or the caller administers the
    /// deployment.
    pub async fn organization(
        &self,
        principal: &Principal,
        organization: OrganizationId,
    ) -> Result<Organization, Error> {
        let caller = self.caller(principal).await?;
        let is_own = principal.organization == Some(organization);
        if !is_own && !caller.is_global_admin() {
            return Err(Error::Forbidden(Reason::OtherOrganization));
        }
        self.read_organization(organization).await
    }

    /// Makes an organization with its two groups: for administrators of the deployment, since
    /// nobody else would belong to it.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`].
    pub async fn create_organization(
        &self,
        principal: &Principal,
        update: &OrganizationUpdate,
    ) -> Result<Organization, Error> {
        let id = OrganizationId::generate(self.now(), &*self.parts.random);
        let part = self.organization_part(principal, id, update).await?;
        self.commit_part(part).await.map_err(Error::of_taken_organization)?;
        self.read_organization(id).await
    }

    /// What [`Auth::create_organization`] writes, to be written together with something else.
    ///
    /// # Errors
    /// As [`Auth::create_organization`], save that a name that is taken is found when it is
    /// written: see [`Error::of_taken_organization`].
    pub async fn organization_part(
        &self,
        principal: &Principal,
        id: OrganizationId,
        update: &OrganizationUpdate,
    ) -> Result<Part<Change>, Error> {
        let caller = self.caller(principal).await?;
        caller.require_global_admin()?;
        let Some(name) = &update.name else { return Err(Error::field("name", REQUIRED)) };
        self.check_organization(update).await?;
        let mut founding = found_as(id, name, self.now(), &*self.parts.random);
        apply(&mut founding.organization, update);
        let (mut changes, mut events) = (Vec::new(), Vec::new());
        self.founding(principal, &founding, &mut changes, &mut events);
        Ok(Part::of_all(Some(id), changes, events))
    }

    /// Changes an organization.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller may update things of it; [`Error::Invalid`].
    pub async fn update_organization(
        &self,
        principal: &Principal,
        organization: OrganizationId,
        update: &OrganizationUpdate,
    ) -> Result<Organization, Error> {
        let mut attempt = 1;
        loop {
            match self.try_update_organization(principal, organization, update).await {
                Err(error) if attempt < ATTEMPTS_MAX && is_stale(&error) => attempt += 1,
                other => return other.map_err(Error::of_taken_organization),
            }
        }
    }

    async fn try_update_organization(
        &self,
        principal: &Principal,
        organization: OrganizationId,
        update: &OrganizationUpdate,
    ) -> Result<Organization, Error> {
        let caller = self.caller(principal).await?;
        caller.check(Action::Update, Resource::Organization(organization)).require()?;
        self.check_organization(update).await?;
        let before = self.read_organization(organization).await?;
        let mut next = before.clone();
        apply(&mut next, update);
        if next == before {
            return Ok(before);
        }
        next.edited_at = self.now();
        let event =
            self.event(principal, "auth.organization.updated", organization, json!({"name": next.name}));
        self.commit_change(Some(organization), Change::OrganizationUpdated(Box::new(next)), event).await?;
        self.read_organization(organization).await
    }

    /// Removes an organization that has no users.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the deployment;
    /// [`Error::Conflict`] if it has users.
    pub async fn delete_organization(
        &self,
        principal: &Principal,
        organization: OrganizationId,
    ) -> Result<(), Error> {
        let caller = self.caller(principal).await?;
        if !caller.is_global_admin() {
            return Err(Error::Forbidden(Reason::NotGlobalAdmin));
        }
        let found = self.read_organization(organization).await?;
        let event =
            self.event(principal, "auth.organization.deleted", organization, json!({"name": found.name}));
        let part = Part::of(Some(organization), Change::OrganizationDeleted(organization), event);
        match self.commit_part(part.taking_rights()).await {
            Err(error) if is_stale(&error) => Err(Error::Conflict {
                reason: "the organization still has users; move or remove them first".to_owned(),
            }),
            other => other,
        }
    }

    async fn read_organization(&self, organization: OrganizationId) -> Result<Organization, Error> {
        let found = self.parts.store.organizations_by_id(&[organization]).await?;
        found.into_iter().next().ok_or(Error::NotFound { what: "organization" })
    }

    async fn check_organization(&self, update: &OrganizationUpdate) -> Result<(), Error> {
        let mut input = Input::default();
        if let Some(name) = &update.name {
            input.name("name", name);
        }
        for (field, text) in [
            ("description", update.description.as_ref()),
            ("organization_url", update.organization_url.as_ref()),
            ("phone", update.phone.as_ref()),
            ("referral_link", update.referral_link.as_ref()),
        ] {
            if let Some(Some(text)) = text {
                input.text(field, text);
            }
        }
        for (field, texts) in [
            ("industries", update.industries.as_ref()),
            ("oauth_domains", update.oauth_domains.as_ref().and_then(Option::as_ref)),
        ] {
            if let Some(texts) = texts {
                input.texts(field, texts);
            }
        }
        if let Some(format) = &update.date_format {
            input.text("date_format", format);
        }
        if let Some(Some(details)) = &update.stripe_subscription_details {
            input.value("stripe_subscription_details", details);
        }
        if update.radius.is_some_and(|radius| !radius.is_finite()) {
            input.refuse("radius", "A valid number is required.");
        }
        if let Some(Some(number)) = update.organization_type {
            let types = self.parts.store.organization_types(u32::MAX).await?;
            if types.iter().all(|kind| kind.number != number) {
                input
                    .refuse("organization_type", format!("Invalid pk \"{number}\" - object does not exist."));
            }
        }
        input.done()
    }
}

fn place(last: &Organization) -> Place {
    Place { name: last.name.clone(), number: 0 }
}

impl Error {
    /// Says of an organization's name that is taken what somebody who wrote it needs to know; any
    /// other error stays.
    #[must_use]
    pub fn of_taken_organization(self) -> Self {
        match self {
            Self::Store(StoreError::Taken { field: "organization_name" }) => {
                Self::field("name", "organization with this name already exists.")
            }
            other => other,
        }
    }
}

fn apply(organization: &mut Organization, update: &OrganizationUpdate) {
    if let Some(name) = &update.name {
        name.trim().clone_into(&mut organization.name);
    }
    let details: &mut OrganizationDetails = &mut organization.details;
    set(&mut details.description, update.description.as_ref());
    set(&mut details.organization_url, update.organization_url.as_ref());
    set(&mut details.industries, update.industries.as_ref());
    set(&mut details.oauth_domains, update.oauth_domains.as_ref());
    set(&mut details.date_format, update.date_format.as_ref());
    set(&mut details.phone, update.phone.as_ref());
    set(&mut details.allow_import_export, update.allow_import_export.as_ref());
    set(&mut details.radius, update.radius.as_ref());
    set(&mut details.organization_type, update.organization_type.as_ref());
    set(&mut details.stripe_subscription_details, update.stripe_subscription_details.as_ref());
    set(&mut details.referral_link, update.referral_link.as_ref());
}

fn set<T: Clone>(field: &mut T, value: Option<&T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}
