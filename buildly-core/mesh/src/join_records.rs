//! Operations on join records: members of an organization read and write its own.

use buildly_journal::Part;
use buildly_model::{FieldError, JoinRecordId, OrganizationId, PageSize, Principal, StoreError};
use serde_json::json;

use crate::mesh::{ATTEMPTS_MAX, require_organization};
use crate::record_types::is_outrun;
use crate::{Change, Error, JoinRecord, JoinRecordFilter, Key, Mesh, Side, Snapshot};

/// A join record as it shall be, with its record types by their full names (such as `crmContact`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinRecordInput {
    /// The record type at the origin.
    pub origin_type: String,
    /// The related record type.
    pub related_type: String,
    /// The key of the record at the origin.
    pub origin: Key,
    /// The key of the related record.
    pub related: Key,
}

/// What of a join record changes; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JoinRecordUpdate {
    /// The record type at the origin.
    pub origin_type: Option<String>,
    /// The related record type.
    pub related_type: Option<String>,
    /// The key of the record at the origin.
    pub origin: Option<Key>,
    /// The key of the related record.
    pub related: Option<Key>,
}

/// A join record with the full names of its record types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedJoinRecord {
    /// The join record.
    pub record: JoinRecord,
    /// The record type at the origin.
    pub origin_type: String,
    /// The related record type.
    pub related_type: String,
}

/// One page of join records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedJoinRecords {
    /// The rows, oldest first.
    pub records: Vec<DescribedJoinRecord>,
    /// The place to read on from; `None` if this is the end.
    pub next: Option<u64>,
}

impl Mesh {
    /// The join records of the caller's organization, oldest first.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] or [`Error::Forbidden`] for callers without an organization.
    pub async fn join_records(
        &self,
        principal: &Principal,
        filter: &JoinRecordFilter,
        after: Option<u64>,
        size: PageSize,
    ) -> Result<DescribedJoinRecords, Error> {
        let organization = require_organization(principal)?;
        let page = self.parts.store.join_records(organization, filter, after, size.rows()).await?;
        let view = self.signed_in_view(principal).await?;
        let described = page.records.into_iter().filter_map(|record| describe(&view.catalog, record));
        Ok(DescribedJoinRecords { records: described.collect(), next: page.next })
    }

    /// One join record of the caller's organization.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for another organization's.
    pub async fn join_record(
        &self,
        principal: &Principal,
        id: JoinRecordId,
    ) -> Result<DescribedJoinRecord, Error> {
        let organization = require_organization(principal)?;
        let found = self.parts.store.find_join_record(organization, id).await?;
        let view = self.signed_in_view(principal).await?;
        found.and_then(|record| describe(&view.catalog, record)).ok_or_else(|| missing(id))
    }

    /// Links two records in the caller's organization; an existing link is given back.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a record type is unknown or the two are not related.
    pub async fn create_join_record(
        &self,
        principal: &Principal,
        input: JoinRecordInput,
    ) -> Result<DescribedJoinRecord, Error> {
        for attempt in 1.. {
            let (record, part) = self.join_record_part(principal, &input).await?;
            let written = match part {
                Some(part) => self.parts.commits.commit(part).await.map(drop),
                None => Ok(()),
            };
            match written {
                Ok(()) => {
                    let view = self.signed_in_view(principal).await?;
                    let id = record.id;
                    return describe(&view.catalog, record).ok_or_else(|| missing(id));
                }
                Err(error) if attempt < ATTEMPTS_MAX && is_outrun(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// What [`Mesh::create_join_record`] writes, to be written together with something else, and
    /// the record; nothing is to be written if the two are linked already.
    ///
    /// # Errors
    /// As [`Mesh::create_join_record`].
    pub async fn join_record_part(
        &self,
        principal: &Principal,
        input: &JoinRecordInput,
    ) -> Result<(JoinRecord, Option<Part<Change>>), Error> {
        let organization = require_organization(principal)?;
        let id = JoinRecordId::generate(self.parts.clock.now(), &*self.parts.random);
        let view = self.signed_in_view(principal).await?;
        let record = decide(&view.catalog, organization, id, input)?;
        if let Some(existing) = self.find_pair(&record).await? {
            return Ok((existing, None));
        }
        let event = self.event("mesh.join_record.created", id, payload(&record), principal);
        let part = Part::of(Some(organization), Change::JoinRecordCreated(record.clone()), event);
        Ok((record, Some(part)))
    }

    /// Changes a join record of the caller's organization.
    ///
    /// # Errors
    /// As [`Mesh::create_join_record`]; [`Error::NotFound`]; and [`StoreError::Taken`] if another
    /// one links that pair.
    pub async fn update_join_record(
        &self,
        principal: &Principal,
        id: JoinRecordId,
        update: JoinRecordUpdate,
    ) -> Result<DescribedJoinRecord, Error> {
        let organization = require_organization(principal)?;
        let current = self.join_record(principal, id).await?;
        let input = JoinRecordInput {
            origin_type: update.origin_type.unwrap_or(current.origin_type),
            related_type: update.related_type.unwrap_or(current.related_type),
            origin: update.origin.unwrap_or(current.record.origin),
            related: update.related.unwrap_or(current.record.related),
        };
        let view = self.signed_in_view(principal).await?;
        let record = decide(&view.catalog, organization, id, &input)?;
        let change = Change::JoinRecordUpdated(record.clone());
        self.commit_join_record(principal, "mesh.join_record.updated", change, &record).await?;
        describe(&view.catalog, record).ok_or_else(|| missing(id))
    }

    /// Removes a join record of the caller's organization.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for another organization's.
    pub async fn delete_join_record(&self, principal: &Principal, id: JoinRecordId) -> Result<(), Error> {
        let record = self.join_record(principal, id).await?.record;
        let change = Change::JoinRecordDeleted(id);
        Ok(self.commit_join_record(principal, "mesh.join_record.deleted", change, &record).await?)
    }

    async fn commit_join_record(
        &self,
        principal: &Principal,
        kind: &'static str,
        change: Change,
        record: &JoinRecord,
    ) -> Result<(), StoreError> {
        let event = self.event(kind, record.id, payload(record), principal);
        self.parts.commits.commit(Part::of(Some(record.organization), change, event)).await.map(drop)
    }

    /// The stored join record of the same pair.
    pub(crate) async fn find_pair(&self, record: &JoinRecord) -> Result<Option<JoinRecord>, StoreError> {
        let filter = JoinRecordFilter {
            relationship: Some(record.relationship),
            origins: Some(vec![record.origin.clone()]),
            related: Some(vec![record.related.clone()]),
        };
        let page = self.parts.store.join_records(record.organization, &filter, None, 1).await?;
        Ok(page.records.into_iter().next())
    }
}

/// The facts of a join record for the journal.
pub(crate) fn payload(record: &JoinRecord) -> serde_json::Value {
    json!({
        "relationship": record.relationship,
        "origin": record.origin.to_value(),
        "related": record.related.to_value(),
    })
}

/// Decides which relationship two records are linked by: the oldest from the one type to the other.
fn decide(
    catalog: &Snapshot,
    organization: OrganizationId,
    id: JoinRecordId,
    input: &JoinRecordInput,
) -> Result<JoinRecord, Error> {
    let (origin, related) =
        (catalog.find_by_full_name(&input.origin_type), catalog.find_by_full_name(&input.related_type));
    let (Some(origin), Some(related)) = (origin, related) else {
        let unknown =
            |field, name: &str| FieldError::new(field, format!("\"{name}\" is not a valid choice."));
        let refused = [
            origin.is_none().then(|| unknown("origin_model_name", &input.origin_type)),
            related.is_none().then(|| unknown("related_model_name", &input.related_type)),
        ];
        return Err(Error::Invalid(refused.into_iter().flatten().collect()));
    };
    let fits = |side: Side| {
        let types = (origin.id, related.id);
        let mut relationships = catalog.relationships().iter();
        relationships.find(|one| (one.type_at(side), one.type_at(side.opposite())) == types)
    };
    let link = |relationship, origin: &Key, related: &Key| {
        let (origin, related) = (origin.clone(), related.clone());
        JoinRecord { id, organization, relationship, origin, related }
    };
    match fits(Side::Origin) {
        Some(found) => Ok(link(found.id, &input.origin, &input.related)),
        None => Err(Error::field(
            "non_field_errors",
            match fits(Side::Related) {
                Some(_) => format!(
                    "The relationship leads from `{}` to `{}`; swap the two records.",
                    input.related_type, input.origin_type
                ),
                None => format!("`{}` and `{}` have no relationship.", input.origin_type, input.related_type),
            },
        )),
    }
}

fn describe(catalog: &Snapshot, record: JoinRecord) -> Option<DescribedJoinRecord> {
    let relationship = catalog.find_relationship(record.relationship)?;
    let name = |side| catalog.find_record_type(relationship.type_at(side)).map(crate::RecordType::full_name);
    Some(DescribedJoinRecord { origin_type: name(Side::Origin)?, related_type: name(Side::Related)?, record })
}

fn missing(id: JoinRecordId) -> Error {
    Error::NotFound { what: "join record", id: id.to_string() }
}
