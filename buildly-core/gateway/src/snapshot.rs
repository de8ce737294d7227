//! The gateway's hot state: services by id and by name, immutable.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr as _;
use std::sync::Arc;

use buildly_journal::FeedEvent;
use buildly_model::{ServiceId, StoreError};

use crate::{RateLimits, Service, Store};

/// The services and limits of the deployment at one revision; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    inner: Arc<Inner>,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    by_id: HashMap<ServiceId, Arc<RegisteredService>>,
    by_name: BTreeMap<String, Arc<RegisteredService>>,
    rate_limits: Option<RateLimits>,
}

/// A service as the snapshot holds it.
#[derive(Debug)]
pub struct RegisteredService {
    /// The service itself.
    pub service: Service,
}

impl Snapshot {
    /// Loads it from the storage, at start.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn load(store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        let mut inner = Inner { rate_limits: store.find_rate_limits().await?, ..Inner::default() };
        for service in store.services().await? {
            inner.insert(RegisteredService { service });
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The next snapshot: reads again only the services that the events touched.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn follow(&self, events: &[FeedEvent], store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        let mut inner = Inner::clone(&self.inner);
        let touched: BTreeSet<&str> = events.iter().map(|event| event.subject.as_str()).collect();
        for subject in touched {
            let Ok(id) = ServiceId::from_str(subject) else {
                inner.rate_limits = store.find_rate_limits().await?;
                continue;
            };
            inner.remove(id);
            if let Some(service) = store.find_service(id).await? {
                inner.insert(RegisteredService { service });
            }
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A service by id.
    #[must_use]
    pub fn find(&self, service: ServiceId) -> Option<&Arc<RegisteredService>> {
        self.inner.by_id.get(&service)
    }

    /// A service by the first segment of its paths.
    #[must_use]
    pub fn find_by_name(&self, name: &str) -> Option<&Arc<RegisteredService>> {
        self.inner.by_name.get(name)
    }

    /// All services, by name.
    pub fn services(&self) -> impl Iterator<Item = &Arc<RegisteredService>> {
        self.inner.by_name.values()
    }

    /// The deployment's own limits.
    #[must_use]
    pub fn rate_limits(&self) -> RateLimits {
        self.inner.rate_limits.clone().unwrap_or_else(RateLimits::standard)
    }
}

impl Inner {
    fn insert(&mut self, registered: RegisteredService) {
        let registered = Arc::new(registered);
        self.by_name.insert(registered.service.name.as_str().to_owned(), Arc::clone(&registered));
        self.by_id.insert(registered.service.id, registered);
    }

    fn remove(&mut self, id: ServiceId) {
        if let Some(removed) = self.by_id.remove(&id) {
            let name = removed.service.name.as_str();
            // The name may have gone to another service in the same batch of events.
            if self.by_name.get(name).is_some_and(|holder| holder.service.id == id) {
                self.by_name.remove(name);
            }
        }
    }
}
