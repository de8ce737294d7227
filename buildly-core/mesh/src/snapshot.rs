//! The catalog in memory: what every join reads, never waiting.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use buildly_journal::FeedEvent;
use buildly_model::{RecordTypeId, RelationshipId, StoreError};

use crate::{RecordType, Relationship, Side, Store};

/// The record types and relationships of the deployment; immutable, cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    catalog: Arc<Catalog>,
}

#[derive(Debug, Default)]
struct Catalog {
    /// Differs from that of every other catalog of this process.
    generation: u64,
    record_types: Vec<RecordType>,
    relationships: Vec<Relationship>,
    types_by_id: HashMap<RecordTypeId, usize>,
    /// By service, then by path.
    types_by_path: HashMap<String, HashMap<String, usize>>,
}

/// Counts the catalogs that this process has built; only there to tell them apart.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

impl Snapshot {
    /// Builds a catalog from its rows, oldest first.
    #[must_use]
    pub fn new(record_types: Vec<RecordType>, relationships: Vec<Relationship>) -> Self {
        let types_by_id = record_types.iter().enumerate().map(|(place, one)| (one.id, place)).collect();
        let mut types_by_path: HashMap<String, HashMap<String, usize>> = HashMap::new();
        for (place, one) in record_types.iter().enumerate() {
            let paths = types_by_path.entry(one.service.clone()).or_default();
            // The first of a path counts, should rows ever disagree.
            paths.entry(one.path().to_owned()).or_insert(place);
        }
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        let catalog = Catalog { generation, record_types, relationships, types_by_id, types_by_path };
        Self { catalog: Arc::new(catalog) }
    }

    /// Loads it from the storage, at start.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn load(store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        Ok(Self::new(store.record_types().await?, store.relationships().await?))
    }

    /// The next snapshot: reads again only what the events touched. Links are not part of it.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn follow(&self, events: &[FeedEvent], store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        let touches_catalog = |event: &FeedEvent| {
            event.kind.starts_with("mesh.record_type.") || event.kind.starts_with("mesh.relationship.")
        };
        if events.iter().any(touches_catalog) { Self::load(store).await } else { Ok(self.clone()) }
    }

    /// A number that differs from that of every other catalog of this process.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.catalog.generation
    }

    /// All record types, oldest first.
    #[must_use]
    pub fn record_types(&self) -> &[RecordType] {
        &self.catalog.record_types
    }

    /// All relationships, oldest first.
    #[must_use]
    pub fn relationships(&self) -> &[Relationship] {
        &self.catalog.relationships
    }

    /// One record type.
    #[must_use]
    pub fn find_record_type(&self, id: RecordTypeId) -> Option<&RecordType> {
        self.catalog.types_by_id.get(&id).and_then(|place| self.catalog.record_types.get(*place))
    }

    /// The record type that a service has under a path (slashes around it do not count).
    #[must_use]
    pub fn find_by_path(&self, service: &str, path: &str) -> Option<&RecordType> {
        let place = self.catalog.types_by_path.get(service)?.get(path.trim_matches('/'))?;
        self.catalog.record_types.get(*place)
    }

    /// The record type that join records call by this name, such as `crmContact`.
    #[must_use]
    pub fn find_by_full_name(&self, name: &str) -> Option<&RecordType> {
        self.record_types()
            .iter()
            .find(|one| name.strip_prefix(one.service.as_str()).is_some_and(|model| model == one.model))
    }

    /// One relationship.
    #[must_use]
    pub fn find_relationship(&self, id: RelationshipId) -> Option<&Relationship> {
        self.relationships().iter().find(|one| one.id == id)
    }

    /// The relationships of a record type and the end at which it stands, oldest first.
    pub fn relationships_of(
        &self,
        record_type: RecordTypeId,
    ) -> impl Iterator<Item = (&Relationship, Side)> + '_ {
        self.relationships().iter().filter_map(move |one| one.side_of(record_type).map(|side| (one, side)))
    }
}
