//! Operations on relationships: signed-in callers read, superusers write.

use buildly_journal::Part;
use buildly_model::{Principal, RelationshipId, StoreError};
use serde_json::json;

use crate::catalog;
use crate::mesh::ATTEMPTS_MAX;
use crate::record_types::is_outrun;
use crate::{Change, Error, Mesh, RecordType, Relationship, RelationshipInput, RelationshipUpdate, View};

/// A relationship with the record types at its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedRelationship {
    /// The relationship.
    pub relationship: Relationship,
    /// Where it starts.
    pub origin: RecordType,
    /// Where it leads.
    pub related: RecordType,
}

impl DescribedRelationship {
    fn of(relationship: &Relationship, view: &View) -> Option<Self> {
        let origin = view.catalog.find_record_type(relationship.origin)?.clone();
        let related = view.catalog.find_record_type(relationship.related)?.clone();
        Some(Self { relationship: relationship.clone(), origin, related })
    }
}

impl Mesh {
    /// All relationships, oldest first.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if nobody is signed in.
    pub async fn relationships(&self, principal: &Principal) -> Result<Vec<DescribedRelationship>, Error> {
        let view = self.signed_in_view(principal).await?;
        let all = view.catalog.relationships().iter();
        Ok(all.filter_map(|one| DescribedRelationship::of(one, &view)).collect())
    }

    /// One relationship.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::Unauthenticated`] if nobody is signed in.
    pub async fn relationship(
        &self,
        principal: &Principal,
        id: RelationshipId,
    ) -> Result<DescribedRelationship, Error> {
        let view = self.signed_in_view(principal).await?;
        let found = view.catalog.find_relationship(id);
        found.and_then(|one| DescribedRelationship::of(one, &view)).ok_or_else(|| missing(id))
    }

    /// Declares a relationship.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless a superuser asks, [`Error::Invalid`] if it does not fit.
    pub async fn create_relationship(
        &self,
        principal: &Principal,
        input: RelationshipInput,
    ) -> Result<DescribedRelationship, Error> {
        let id = RelationshipId::generate(self.parts.clock.now(), &*self.parts.random);
        let decide = |view: &View| {
            let one = catalog::relationship(&view.catalog, id, input.clone()).map_err(Error::Invalid)?;
            Ok((one.clone(), Change::RelationshipCreated(one)))
        };
        self.declare_relationship(principal, "mesh.relationship.created", decide).await
    }

    /// Changes a relationship.
    ///
    /// # Errors
    /// As [`Mesh::create_relationship`], and [`Error::NotFound`].
    pub async fn update_relationship(
        &self,
        principal: &Principal,
        id: RelationshipId,
        update: RelationshipUpdate,
    ) -> Result<DescribedRelationship, Error> {
        let decide = |view: &View| {
            let current = view.catalog.find_relationship(id).cloned().ok_or_else(|| missing(id))?;
            let input = update.clone().of(current);
            let one = catalog::relationship(&view.catalog, id, input).map_err(Error::Invalid)?;
            Ok((one.clone(), Change::RelationshipUpdated(one)))
        };
        self.declare_relationship(principal, "mesh.relationship.updated", decide).await
    }

    /// Removes a relationship with its join records.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless a superuser asks, [`Error::NotFound`].
    pub async fn delete_relationship(&self, principal: &Principal, id: RelationshipId) -> Result<(), Error> {
        let decide = |view: &View| {
            let one = view.catalog.find_relationship(id).cloned().ok_or_else(|| missing(id))?;
            Ok((one, Change::RelationshipDeleted(id)))
        };
        self.declare_relationship(principal, "mesh.relationship.deleted", decide).await.map(drop)
    }

    async fn declare_relationship(
        &self,
        principal: &Principal,
        kind: &'static str,
        decide: impl Fn(&View) -> Result<(Relationship, Change), Error>,
    ) -> Result<DescribedRelationship, Error> {
        for attempt in 1.. {
            let view = self.superuser_view(principal).await?;
            let (one, change) = decide(&view)?;
            let described = DescribedRelationship::of(&one, &view).ok_or_else(|| missing(one.id))?;
            let payload = json!({
                "key": one.key, "origin": one.origin, "related": one.related, "foreign_key": one.foreign_key,
            });
            let part = Part::of(None, change, self.event(kind, one.id, payload, principal));
            match self.parts.commits.commit(part).await {
                Ok(_) => return Ok(described),
                Err(error) if attempt < ATTEMPTS_MAX && is_outrun(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }
}

fn missing(id: RelationshipId) -> Error {
    Error::NotFound { what: "relationship", id: id.to_string() }
}
