//! Operations on record types: signed-in callers read, superusers write.

use buildly_journal::Part;
use buildly_model::{Principal, RecordTypeId, StoreError};
use serde_json::json;

use crate::catalog;
use crate::mesh::{ATTEMPTS_MAX, require_signed_in};
use crate::{Change, Error, Mesh, RecordType, RecordTypeInput, RecordTypeUpdate, View};

impl Mesh {
    /// All record types, oldest first.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if nobody is signed in.
    pub async fn record_types(&self, principal: &Principal) -> Result<Vec<RecordType>, Error> {
        Ok(self.signed_in_view(principal).await?.catalog.record_types().to_vec())
    }

    /// One record type.
    ///
    /// # Errors
    /// [`Error::NotFound`], and [`Error::Unauthenticated`] if nobody is signed in.
    pub async fn record_type(&self, principal: &Principal, id: RecordTypeId) -> Result<RecordType, Error> {
        let view = self.signed_in_view(principal).await?;
        view.catalog.find_record_type(id).cloned().ok_or_else(|| missing(id))
    }

    /// Declares a record type.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless a superuser asks, [`Error::Invalid`] if it does not fit.
    pub async fn create_record_type(
        &self,
        principal: &Principal,
        input: RecordTypeInput,
    ) -> Result<RecordType, Error> {
        let id = RecordTypeId::generate(self.parts.clock.now(), &*self.parts.random);
        let decide = |view: &View| {
            let one = catalog::record_type(&view.catalog, id, input.clone()).map_err(Error::Invalid)?;
            Ok((one.clone(), Change::RecordTypeCreated(one)))
        };
        self.declare_record_type(principal, "mesh.record_type.created", decide).await
    }

    /// Changes a record type.
    ///
    /// # Errors
    /// As [`Mesh::create_record_type`], and [`Error::NotFound`].
    pub async fn update_record_type(
        &self,
        principal: &Principal,
        id: RecordTypeId,
        update: RecordTypeUpdate,
    ) -> Result<RecordType, Error> {
        let decide = |view: &View| {
            let current = view.catalog.find_record_type(id).cloned().ok_or_else(|| missing(id))?;
            let input = update.clone().of(current);
            let one = catalog::record_type(&view.catalog, id, input).map_err(Error::Invalid)?;
            Ok((one.clone(), Change::RecordTypeUpdated(one)))
        };
        self.declare_record_type(principal, "mesh.record_type.updated", decide).await
    }

    /// Removes a record type with its relationships and their join records.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless a superuser asks, [`Error::NotFound`].
    pub async fn delete_record_type(&self, principal: &Principal, id: RecordTypeId) -> Result<(), Error> {
        let decide = |view: &View| {
            let one = view.catalog.find_record_type(id).cloned().ok_or_else(|| missing(id))?;
            Ok((one, Change::RecordTypeDeleted(id)))
        };
        self.declare_record_type(principal, "mesh.record_type.deleted", decide).await.map(drop)
    }

    async fn declare_record_type(
        &self,
        principal: &Principal,
        kind: &'static str,
        decide: impl Fn(&View) -> Result<(RecordType, Change), Error>,
    ) -> Result<RecordType, Error> {
        for attempt in 1.. {
            let view = self.superuser_view(principal).await?;
            let (one, change) = decide(&view)?;
            let payload = json!({
                "service": one.service, "model": one.model, "endpoint": one.endpoint,
                "key_field": one.key_field, "is_local": one.is_local,
            });
            let part = Part::of(None, change, self.event(kind, one.id, payload, principal));
            match self.parts.commits.commit(part).await {
                Ok(_) => return Ok(one),
                Err(error) if attempt < ATTEMPTS_MAX && is_outrun(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// The state now, for a caller who has signed in.
    pub(crate) async fn signed_in_view(&self, principal: &Principal) -> Result<View, Error> {
        require_signed_in(principal)?;
        Ok(self.parts.views.view(principal).await?)
    }

    /// The state now, for a superuser.
    pub(crate) async fn superuser_view(&self, principal: &Principal) -> Result<View, Error> {
        let view = self.signed_in_view(principal).await?;
        if view.access.is_superuser(principal) {
            return Ok(view);
        }
        Err(Error::Forbidden { reason: "You do not have permission to perform this action.".to_owned() })
    }
}

/// Whether somebody else was faster; the snapshot has that change by now or soon.
pub(crate) const fn is_outrun(error: &StoreError) -> bool {
    matches!(error, StoreError::Stale | StoreError::Taken { .. } | StoreError::Missing { .. })
}

fn missing(id: RecordTypeId) -> Error {
    Error::NotFound { what: "record type", id: id.to_string() }
}
