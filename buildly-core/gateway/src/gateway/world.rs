//! A gateway in memory, for the tests of its operations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use buildly_journal::{Commit, FeedEvent, FeedPosition, Part};
use buildly_model::system::System;
use buildly_model::{Clock, Identity, Principal, Revision, ServiceId, StoreError, Timestamp, UserId};
use http::{StatusCode, Uri};

use super::*;
use crate::{
    Fetched, RateLimits, Registration, Service, SourceError, Specification, SpecificationMark, Version,
};

/// Everything outside of the gateway.
#[derive(Clone, Default)]
pub(crate) struct World {
    state: Arc<Mutex<State>>,
    pub(crate) fetched: Arc<Mutex<Vec<String>>>,
    pub(crate) documents: Arc<Mutex<HashMap<String, (u16, String)>>>,
    pub(crate) now: Arc<Mutex<Option<Timestamp>>>,
}

#[derive(Default)]
struct State {
    services: Vec<Service>,
    specifications: Vec<(ServiceId, Specification)>,
    limits: Option<RateLimits>,
    snapshot: Arc<Snapshot>,
    events: Vec<String>,
    /// The events of those changes that take a right away.
    rights_taken: Vec<String>,
}

pub(crate) const SPECIFICATION: &str =
    r#"{"swagger": "2.0", "paths": {"/product/": {"get": {}}, "/product/{id}/": {"get": {}, "put": {}}}}"#;

impl World {
    pub(crate) fn gateway(&self) -> Gateway {
        Gateway::new(Parts {
            store: Arc::new(self.clone()) as Arc<dyn Store>,
            commits: Arc::new(self.clone()) as Arc<dyn Commit<Change>>,
            snapshots: Arc::new(self.clone()) as Arc<dyn Snapshots>,
            access: Arc::new(self.clone()) as Arc<dyn Access>,
            source: Arc::new(self.clone()) as Arc<dyn SpecificationSource>,
            clock: Arc::new(self.clone()) as Arc<dyn Clock>,
            random: Arc::new(System),
        })
    }

    /// Lets the address answer with a document.
    pub(crate) fn serve(&self, url: &str, status: u16, body: &str) {
        self.documents.lock().unwrap().insert(url.to_owned(), (status, body.to_owned()));
    }

    pub(crate) fn pass(&self, duration: Duration) {
        *self.now.lock().unwrap() = Some(self.now().after(duration));
    }

    pub(crate) fn fetches(&self) -> Vec<String> {
        self.fetched.lock().unwrap().clone()
    }

    pub(crate) fn rights_taken(&self) -> Vec<String> {
        self.state.lock().unwrap().rights_taken.clone()
    }

    pub(crate) fn events(&self) -> Vec<String> {
        self.state.lock().unwrap().events.clone()
    }
}

/// A superuser.
pub(crate) fn root() -> Principal {
    Principal { identity: Identity::User(UserId::from_uuid(uuid::Uuid::nil())), ..Principal::ANONYMOUS }
}

/// Somebody else who is signed in.
pub(crate) fn member() -> Principal {
    Principal { identity: Identity::User(UserId::from_uuid(uuid::Uuid::max())), ..Principal::ANONYMOUS }
}

pub(crate) fn registration(name: &str, endpoint: &str) -> Registration {
    Registration {
        name: Some(name.to_owned()),
        endpoint: Some(endpoint.to_owned()),
        ..Registration::default()
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.now.lock().unwrap().unwrap_or(Timestamp::from_seconds(1_800_000_000))
    }
}

#[async_trait]
impl Access for World {
    async fn require_superuser(&self, principal: &Principal) -> Result<(), Error> {
        match principal.identity {
            Identity::Anonymous => Err(Error::Unauthenticated),
            _ if *principal == root() => Ok(()),
            _ => Err(Error::Forbidden),
        }
    }
}

impl Snapshots for World {
    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.state.lock().unwrap().snapshot)
    }
}

#[async_trait]
impl SpecificationSource for World {
    async fn fetch(&self, url: &Uri, _: usize, limit: Duration) -> Result<Fetched, SourceError> {
        self.fetched.lock().unwrap().push(url.to_string());
        tokio::task::yield_now().await;
        if url.host() == Some("hanging") {
            tokio::time::sleep(limit).await;
            self.pass(limit);
            return Err(SourceError::TimedOut);
        }
        if url.host() == Some("down") {
            return Err(SourceError::Unreachable { reason: "connection refused".to_owned() });
        }
        let documents = self.documents.lock().unwrap();
        let missing = (404, String::new());
        let (status, body) = documents.get(&url.to_string()).unwrap_or(&missing).clone();
        Ok(Fetched { status: StatusCode::from_u16(status).unwrap(), body: body.into() })
    }
}

impl State {
    fn apply(&mut self, change: Change) -> Result<(), StoreError> {
        match change {
            Change::ServiceRegistered(mut service) => {
                self.refuse_taken(&service)?;
                service.number = self.services.len() as i64 + 1;
                self.services.push(*service);
            }
            Change::ServiceUpdated { service, expected } => {
                self.refuse_taken(&service)?;
                let one = self.services.iter_mut().find(|one| one.id == service.id);
                let one = one.ok_or(StoreError::Missing { what: "service" })?;
                if one.version != expected {
                    return Err(StoreError::Stale);
                }
                *one = *service;
            }
            Change::ServiceDeleted { service } => self.services.retain(|one| one.id != service),
            Change::SpecificationStored { service, specification } => {
                self.specifications
                    .retain(|(of, one)| *of != service || one.version != specification.version);
                self.specifications.push((service, *specification));
            }
            Change::RateLimitsSet(limits) => self.limits = Some(limits),
        }
        Ok(())
    }

    fn refuse_taken(&self, service: &Service) -> Result<(), StoreError> {
        let is_taken = self.services.iter().any(|one| one.id != service.id && one.name == service.name);
        if is_taken { Err(StoreError::Taken { field: "endpoint_name" }) } else { Ok(()) }
    }

    fn with_marks(&self, service: &Service) -> Service {
        let own = self.specifications.iter().filter(|(of, _)| *of == service.id);
        let marks = own
            .map(|(_, one)| SpecificationMark { version: one.version.clone(), fetched_at: one.fetched_at });
        Service { specifications: marks.collect(), ..service.clone() }
    }
}

#[async_trait]
impl Store for World {
    async fn services(&self) -> Result<Vec<Service>, StoreError> {
        let state = self.state.lock().unwrap();
        Ok(state.services.iter().map(|service| state.with_marks(service)).collect())
    }

    async fn find_service(&self, service: ServiceId) -> Result<Option<Service>, StoreError> {
        let state = self.state.lock().unwrap();
        let found = state.services.iter().find(|one| one.id == service);
        Ok(found.map(|service| state.with_marks(service)))
    }

    async fn find_specification(
        &self,
        service: ServiceId,
        version: Option<&Version>,
    ) -> Result<Option<Specification>, StoreError> {
        let state = self.state.lock().unwrap();
        let wanted =
            |(of, one): &&(ServiceId, Specification)| *of == service && one.version.as_ref() == version;
        Ok(state.specifications.iter().find(wanted).map(|(_, one)| one.clone()))
    }

    async fn find_rate_limits(&self) -> Result<Option<RateLimits>, StoreError> {
        Ok(self.state.lock().unwrap().limits.clone())
    }
}

#[async_trait]
impl Commit<Change> for World {
    async fn commit_all(&self, parts: Vec<Part<Change>>) -> Result<Revision, StoreError> {
        let mut feed = Vec::new();
        for part in parts {
            if part.takes_rights {
                let kinds = part.events.iter().map(|event| event.kind.to_string());
                self.state.lock().unwrap().rights_taken.extend(kinds);
            }
            for change in part.changes {
                self.state.lock().unwrap().apply(change)?;
            }
            feed.extend(part.events.into_iter().map(|event| FeedEvent {
                position: FeedPosition::default(),
                organization: part.organization,
                kind: event.kind.into_owned(),
                subject: event.subject,
            }));
        }
        let store: Arc<dyn Store> = Arc::new(self.clone());
        let next = self.current().follow(&feed, &store).await?;
        let mut state = self.state.lock().unwrap();
        state.snapshot = Arc::new(next);
        state.events.extend(feed.into_iter().map(|event| event.kind));
        Ok(Revision::ZERO)
    }
}
