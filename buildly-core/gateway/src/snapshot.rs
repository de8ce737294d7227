//! The gateway's hot state: services by id and by name, immutable.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr as _;
use std::sync::Arc;

use buildly_journal::FeedEvent;
use buildly_model::{ServiceId, StoreError};
use tracing::warn;

use crate::blocking;
use crate::openapi::Api;
use crate::{BaseUrl, Instance, RateLimits, Service, SpecificationMark, Store, Version};

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

/// A service as the snapshot holds it: with the operations of its documents.
#[derive(Debug)]
pub struct RegisteredService {
    /// The service itself.
    pub service: Service,
    apis: Vec<KnownApi>,
}

#[derive(Debug, Clone)]
struct KnownApi {
    mark: SpecificationMark,
    api: Arc<Api>,
}

impl Snapshot {
    /// Loads it from the storage, at start.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub async fn load(store: &Arc<dyn Store>) -> Result<Self, StoreError> {
        let mut inner = Inner { rate_limits: store.find_rate_limits().await?, ..Inner::default() };
        for service in store.services().await? {
            inner.insert(RegisteredService::load(service, None, store).await?);
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
            let known = inner.remove(id);
            if let Some(service) = store.find_service(id).await? {
                inner.insert(RegisteredService::load(service, known.as_deref(), store).await?);
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

    /// The deployment's own limits, where they were set.
    #[must_use]
    pub fn find_rate_limits(&self) -> Option<&RateLimits> {
        self.inner.rate_limits.as_ref()
    }

    /// The deployment's own limits.
    #[must_use]
    pub fn rate_limits(&self) -> RateLimits {
        self.inner.rate_limits.clone().unwrap_or_else(RateLimits::standard)
    }
}

impl RegisteredService {
    /// Reads the documents of a service, but for those that are known already.
    async fn load(
        service: Service,
        known: Option<&Self>,
        store: &Arc<dyn Store>,
    ) -> Result<Self, StoreError> {
        let mut apis = Vec::with_capacity(service.specifications.len());
        for mark in &service.specifications {
            let same = known.and_then(|known| known.apis.iter().find(|known| known.mark == *mark));
            if let Some(same) = same {
                apis.push(same.clone());
                continue;
            }
            let stored = store.find_specification(service.id, mark.version.as_ref()).await?;
            let Some(stored) = stored else { continue };
            match blocking::run(stored.text.len(), move || Api::read(&stored.text)).await {
                Ok(api) => apis.push(KnownApi { mark: mark.clone(), api: Arc::new(api) }),
                // It was read when it was stored; it will be fetched again when it is needed.
                Err(error) => warn!(service = %service.name, %error, "stored document cannot be read"),
            }
        }
        Ok(Self { service, apis })
    }

    /// The operations of one version (of the default one for `None`), if its document is known.
    #[must_use]
    pub fn api(&self, version: Option<&Version>) -> Option<&Arc<Api>> {
        let version = version.or(self.service.default_version());
        self.apis.iter().find(|known| known.mark.version.as_ref() == version).map(|known| &known.api)
    }

    /// What the paths of the document are below at an instance: its base URL, and the
    /// document's base path unless the base URL ends with it already.
    #[must_use]
    pub fn upstream(&self, instance: &Instance) -> BaseUrl {
        let below = self.api(instance.version.as_ref()).map_or("", |api| api.base_path.as_str());
        if instance.base_url.path().ends_with(below) {
            return instance.base_url.clone();
        }
        instance.base_url.below(below)
    }
}

impl Inner {
    fn insert(&mut self, registered: RegisteredService) {
        let registered = Arc::new(registered);
        self.by_name.insert(registered.service.name.as_str().to_owned(), Arc::clone(&registered));
        self.by_id.insert(registered.service.id, registered);
    }

    fn remove(&mut self, id: ServiceId) -> Option<Arc<RegisteredService>> {
        let removed = self.by_id.remove(&id)?;
        let name = removed.service.name.as_str();
        // The name may have gone to another service in the same batch of events.
        if self.by_name.get(name).is_some_and(|holder| holder.service.id == id) {
            self.by_name.remove(name);
        }
        Some(removed)
    }
}
