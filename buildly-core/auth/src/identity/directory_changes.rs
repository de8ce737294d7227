//! Operations on organization types, consortia and partners.

use std::collections::BTreeSet;

use buildly_model::{EventId, OrganizationId, Principal, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::input::Input;
use super::parts::is_stale;
use super::view::List;
use super::{Change, Consortium, OrganizationType, Partner};
use crate::permission::Reason;
use crate::{Auth, Error};

/// The most organizations of one consortium.
const MEMBERS_MAX: usize = 1000;

impl Auth {
    /// The organization types, by name.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers an organization.
    pub async fn organization_types(&self, principal: &Principal) -> Result<List<OrganizationType>, Error> {
        self.require_any_admin(principal).await?;
        let rows_max = self.settings().rows_max;
        Ok(List::of(self.parts.store.organization_types(rows_max.saturating_add(1)).await?, rows_max))
    }

    /// One organization type.
    ///
    /// # Errors
    /// As [`Auth::organization_types`]; [`Error::NotFound`].
    pub async fn organization_type(
        &self,
        principal: &Principal,
        number: i64,
    ) -> Result<OrganizationType, Error> {
        self.require_any_admin(principal).await?;
        let types = self.parts.store.organization_types(u32::MAX).await?;
        types
            .into_iter()
            .find(|kind| kind.number == number)
            .ok_or(Error::NotFound { what: "organization type" })
    }

    /// Makes an organization type.
    ///
    /// # Errors
    /// As [`Auth::organization_types`]; [`Error::Invalid`].
    pub async fn create_organization_type(
        &self,
        principal: &Principal,
        name: &str,
    ) -> Result<OrganizationType, Error> {
        self.require_any_admin(principal).await?;
        check_name(name)?;
        let now = self.now();
        let kind =
            OrganizationType { number: 0, name: name.trim().to_owned(), created_at: now, edited_at: now };
        let event = self.event(principal, "auth.organization_type.created", name, json!({"name": name}));
        self.commit_change(None, Change::OrganizationTypeCreated(kind), event).await.map_err(taken)?;
        let types = self.parts.store.organization_types(u32::MAX).await?;
        let made = types.into_iter().find(|kind| kind.name == name.trim());
        made.ok_or(Error::NotFound { what: "organization type" })
    }

    /// Renames an organization type.
    ///
    /// # Errors
    /// As [`Auth::organization_types`]; [`Error::NotFound`], [`Error::Invalid`].
    pub async fn update_organization_type(
        &self,
        principal: &Principal,
        number: i64,
        name: &str,
    ) -> Result<OrganizationType, Error> {
        let before = self.organization_type(principal, number).await?;
        check_name(name)?;
        let kind = OrganizationType { name: name.trim().to_owned(), edited_at: self.now(), ..before };
        let event = self.event(principal, "auth.organization_type.updated", number, json!({"name": name}));
        self.commit_change(None, Change::OrganizationTypeUpdated(kind), event).await.map_err(taken)?;
        self.organization_type(principal, number).await
    }

    /// Removes an organization type.
    ///
    /// # Errors
    /// As [`Auth::organization_types`]; [`Error::NotFound`]; [`Error::Conflict`] while
    /// organizations have it.
    pub async fn delete_organization_type(&self, principal: &Principal, number: i64) -> Result<(), Error> {
        let before = self.organization_type(principal, number).await?;
        let event =
            self.event(principal, "auth.organization_type.deleted", number, json!({"name": before.name}));
        match self.commit_change(None, Change::OrganizationTypeDeleted(number), event).await {
            Err(error) if is_stale(&error) => Err(Error::Conflict {
                reason: "organizations have this type; give them another one first".to_owned(),
            }),
            other => other,
        }
    }

    async fn require_any_admin(&self, principal: &Principal) -> Result<(), Error> {
        self.caller(principal).await?.require_admin_of(principal.organization)
    }

    /// The consortia that the caller sees: those of the own organization, or all; only those
    /// with `organization` if it is named.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub async fn consortia(
        &self,
        principal: &Principal,
        organization: Option<OrganizationId>,
    ) -> Result<List<Consortium>, Error> {
        Ok(List::of(self.visible_consortia(principal, organization).await?, self.settings().rows_max))
    }

    async fn visible_consortia(
        &self,
        principal: &Principal,
        organization: Option<OrganizationId>,
    ) -> Result<Vec<Consortium>, Error> {
        let caller = self.caller(principal).await?;
        let sees_all = caller.is_global_admin();
        let own = principal.organization;
        let mut rows = self.parts.store.consortia(u32::MAX).await?;
        rows.retain(|consortium| {
            let has = |organization| consortium.organizations.contains(&organization);
            (sees_all || own.is_some_and(has)) && organization.is_none_or(has)
        });
        Ok(rows)
    }

    /// One consortium that the caller sees.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn consortium(&self, principal: &Principal, id: Uuid) -> Result<Consortium, Error> {
        let consortia = self.visible_consortia(principal, None).await?;
        consortia
            .into_iter()
            .find(|consortium| consortium.id == id)
            .ok_or(Error::NotFound { what: "consortium" })
    }

    /// Makes a consortium, or changes the one of that id; `None` stays.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser; [`Error::NotFound`],
    /// [`Error::Invalid`].
    pub async fn save_consortium(
        &self,
        principal: &Principal,
        id: Option<Uuid>,
        name: Option<&str>,
        organizations: Option<&[OrganizationId]>,
    ) -> Result<Consortium, Error> {
        self.caller(principal).await?.require_superuser()?;
        let now = self.now();
        let (before, kind) = match id {
            Some(id) => (self.consortium(principal, id).await?, "auth.consortium.updated"),
            None => {
                let id = EventId::generate(now, &*self.parts.random).as_uuid();
                let (name, organizations) = (String::new(), Vec::new());
                (
                    Consortium { id, name, organizations, created_at: now, edited_at: now },
                    "auth.consortium.created",
                )
            }
        };
        let name = name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned());
        check_name(&name)?;
        let mut organizations = organizations.map_or_else(|| before.organizations.clone(), <[_]>::to_vec);
        let mut seen = BTreeSet::new();
        organizations.retain(|organization| seen.insert(*organization));
        let mut input = Input::default();
        input.count("organization_uuids", organizations.len(), MEMBERS_MAX);
        input.done()?;
        let known = self.parts.store.organizations_by_id(&organizations).await?;
        if let Some(unknown) = organizations.iter().find(|id| known.iter().all(|known| known.id != **id)) {
            return Err(Error::field(
                "organization_uuids",
                format!("Invalid pk \"{unknown}\" - object does not exist."),
            ));
        }
        let consortium = Consortium { name, organizations, edited_at: now, ..before };
        let facts = json!({"name": consortium.name, "organizations": consortium.organizations});
        let event = self.event(principal, kind, consortium.id, facts);
        self.commit_change(None, Change::ConsortiumSaved(consortium.clone()), event).await?;
        Ok(consortium)
    }

    /// Removes a consortium.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is a superuser; [`Error::NotFound`].
    pub async fn delete_consortium(&self, principal: &Principal, id: Uuid) -> Result<(), Error> {
        self.caller(principal).await?.require_superuser()?;
        let before = self.consortium(principal, id).await?;
        let event = self.event(principal, "auth.consortium.deleted", id, json!({"name": before.name}));
        self.commit_change(None, Change::ConsortiumDeleted(id), event).await
    }

    /// The partners, by name.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`].
    pub async fn partners(&self, principal: &Principal) -> Result<List<Partner>, Error> {
        self.caller(principal).await?;
        let rows_max = self.settings().rows_max;
        Ok(List::of(self.parts.store.partners(rows_max.saturating_add(1)).await?, rows_max))
    }

    /// One partner.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn partner(&self, principal: &Principal, id: Uuid) -> Result<Partner, Error> {
        self.caller(principal).await?;
        let partners = self.parts.store.partners(u32::MAX).await?;
        partners.into_iter().find(|partner| partner.id == id).ok_or(Error::NotFound { what: "partner" })
    }

    /// Makes a partner: by anybody who is signed in.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`], [`Error::Invalid`].
    pub async fn create_partner(&self, principal: &Principal, name: &str) -> Result<Partner, Error> {
        self.caller(principal).await?;
        check_name(name)?;
        let id = EventId::generate(self.now(), &*self.parts.random).as_uuid();
        self.write_partner(principal, "auth.partner.created", Partner { id, name: name.trim().to_owned() })
            .await
    }

    /// Renames a partner.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the deployment; [`Error::NotFound`],
    /// [`Error::Invalid`].
    pub async fn update_partner(
        &self,
        principal: &Principal,
        id: Uuid,
        name: &str,
    ) -> Result<Partner, Error> {
        self.require_deployment_admin(principal).await?;
        let before = self.partner(principal, id).await?;
        check_name(name)?;
        let partner = Partner { name: name.trim().to_owned(), ..before };
        self.write_partner(principal, "auth.partner.updated", partner).await
    }

    /// Removes a partner.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller administers the deployment; [`Error::NotFound`].
    pub async fn delete_partner(&self, principal: &Principal, id: Uuid) -> Result<(), Error> {
        self.require_deployment_admin(principal).await?;
        let before = self.partner(principal, id).await?;
        let event = self.event(principal, "auth.partner.deleted", id, json!({"name": before.name}));
        self.commit_change(None, Change::PartnerDeleted(id), event).await
    }

    async fn require_deployment_admin(&self, principal: &Principal) -> Result<(), Error> {
        if self.caller(principal).await?.is_global_admin() {
            return Ok(());
        }
        Err(Error::Forbidden(Reason::NotGlobalAdmin))
    }

    async fn write_partner(
        &self,
        principal: &Principal,
        kind: &'static str,
        partner: Partner,
    ) -> Result<Partner, Error> {
        let event = self.event(principal, kind, partner.id, json!({"name": partner.name}));
        self.commit_change(None, Change::PartnerSaved(partner.clone()), event).await?;
        Ok(partner)
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let mut input = Input::default();
    input.name("name", name);
    input.done()
}

fn taken(error: Error) -> Error {
    match error {
        Error::Store(StoreError::Taken { field: "name" }) => {
            Error::field("name", "organization type with this name already exists.")
        }
        other => other,
    }
}
