//! A store in memory, for the tests of the shell.

use std::sync::Mutex;

use async_trait::async_trait;
use buildly_journal::{Commit, Part};
use buildly_model::{JoinRecordId, OrganizationId, RelationshipId, Revision, StoreError};

use crate::{
    Change, JoinRecord, JoinRecordFilter, JoinRecordPage, Key, RecordType, Relationship, Side, Store,
};

/// Links in memory; the catalog is given with the view.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) links: Mutex<Vec<JoinRecord>>,
    pub(crate) event_kinds: Mutex<Vec<String>>,
    /// Whether every write fails.
    pub(crate) is_down: std::sync::atomic::AtomicBool,
}

impl Memory {
    pub(crate) fn link(&self, relationship: &str, origin: &str, related: &str) {
        let relationship =
            super::catalog().relationships().iter().find(|one| one.key == relationship).unwrap().id;
        let mut links = self.links.lock().unwrap();
        let id = JoinRecordId::from_uuid(uuid::Uuid::from_u128(links.len() as u128));
        let (origin, related) = (Key::of_text(origin), Key::of_text(related));
        links.push(JoinRecord { id, organization: super::ACME, relationship, origin, related });
    }

    /// All links, as `origin-related`.
    pub(crate) fn pairs(&self) -> Vec<String> {
        self.links.lock().unwrap().iter().map(|one| format!("{}-{}", one.origin, one.related)).collect()
    }
}

#[async_trait]
impl Store for Memory {
    async fn record_types(&self) -> Result<Vec<RecordType>, StoreError> {
        Ok(super::catalog().record_types().to_vec())
    }

    async fn relationships(&self) -> Result<Vec<Relationship>, StoreError> {
        Ok(super::catalog().relationships().to_vec())
    }

    async fn find_join_record(
        &self,
        organization: OrganizationId,
        id: JoinRecordId,
    ) -> Result<Option<JoinRecord>, StoreError> {
        let links = self.links.lock().unwrap();
        Ok(links.iter().find(|one| (one.organization, one.id) == (organization, id)).cloned())
    }

    async fn join_records(
        &self,
        organization: OrganizationId,
        filter: &JoinRecordFilter,
        _after: Option<u64>,
        _records_max: u32,
    ) -> Result<JoinRecordPage, StoreError> {
        let fits = |keys: &Option<Vec<Key>>, key: &Key| keys.as_ref().is_none_or(|keys| keys.contains(key));
        let is_found = |one: &&JoinRecord| {
            one.organization == organization
                && filter.relationship.is_none_or(|relationship| relationship == one.relationship)
                && fits(&filter.origins, &one.origin)
                && fits(&filter.related, &one.related)
        };
        let records = self.links.lock().unwrap().iter().filter(is_found).cloned().collect();
        Ok(JoinRecordPage { records, next: None })
    }

    async fn links(
        &self,
        organization: OrganizationId,
        relationship: RelationshipId,
        side: Side,
        keys: &[Key],
        links_max: u32,
    ) -> Result<Vec<JoinRecord>, StoreError> {
        let is_found = |one: &&JoinRecord| {
            (one.organization, one.relationship) == (organization, relationship)
                && keys.contains(one.key_at(side))
        };
        Ok(self.links.lock().unwrap().iter().filter(is_found).take(links_max as usize).cloned().collect())
    }
}

#[async_trait]
impl Commit<Change> for Memory {
    async fn commit_all(&self, parts: Vec<Part<Change>>) -> Result<Revision, StoreError> {
        if self.is_down.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(StoreError::Unavailable { reason: "the disk is full".to_owned(), source: None });
        }
        let mut links = self.links.lock().unwrap();
        for part in parts {
            self.event_kinds.lock().unwrap().extend(part.events.iter().map(|event| event.kind.to_string()));
            for change in part.changes {
                match change {
                    Change::JoinRecordCreated(record) => links.push(record),
                    Change::JoinRecordDeleted(id) => links.retain(|one| one.id != id),
                    Change::RecordUnlinked { record_type, key } => {
                        let catalog = super::catalog();
                        links.retain(|one| {
                            let relationship = catalog.find_relationship(one.relationship).unwrap();
                            let side = relationship.side_of(record_type);
                            side.is_none_or(|side| *one.key_at(side) != key)
                        });
                    }
                    other => unreachable!("joins do not write {other:?}"),
                }
            }
        }
        Ok(Revision::ZERO)
    }
}
