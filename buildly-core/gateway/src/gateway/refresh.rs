//! Fetches the documents of services: when somebody asks, or when a request first needs one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use buildly_journal::{Event, Part};
use buildly_model::{Principal, ServiceId, StoreError, Timestamp};
use http::{Method, StatusCode, Uri};
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::blocking;
use crate::openapi::{self, Api};
use crate::{
    BaseUrl, Change, Error, Fetched, Gateway, InstanceState, Route, Routing, SPECIFICATION_BYTES_MAX,
    Service, SourceError, Specification, Target, Version,
};

/// How long one address may take to give a document.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long somebody waits who asks for a document, all its addresses included.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a failure, requests that need the document are refused at once for at least so long.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The pause is so many times as long as what failed took: requests spend little of their time
/// on a service that hangs, and one that merely starts is soon asked again.
const PAUSE_FACTOR: u32 = 5;
/// The names of documents below the `docs` path.
const NAMES: [&str; 3] = ["swagger.json", "openapi.json", "openapi.yaml"];

/// The fetches that requests began: one at a time for each document.
#[derive(Default)]
pub(super) struct Fetches {
    places: Mutex<HashMap<(ServiceId, Option<Version>), Place>>,
}

/// Held while a document is fetched; keeps why the last time failed.
type Place = Arc<Mutex<Option<Failure>>>;

/// Why the last fetch failed.
struct Failure {
    /// When that was known.
    at: Timestamp,
    /// How long it is not tried again.
    pause: Duration,
    reason: String,
}

impl Failure {
    /// A failure of the service; one of the storage is not remembered.
    fn of(error: &Error, began: Timestamp, at: Timestamp) -> Option<Self> {
        let reason = match error {
            Error::SpecificationUnavailable { reason, .. } => reason.clone(),
            Error::SpecificationInvalid { source, .. } => source.to_string(),
            _ => return None,
        };
        let pause = PAUSE_MIN.max(at.since(began) * PAUSE_FACTOR);
        Some(Self { at, pause, reason })
    }

    /// Whether it answers somebody who has asked since `asked`: who waited while it happened
    /// shares it, and who comes in the pause gets it too.
    fn answers(&self, asked: Timestamp, now: Timestamp) -> bool {
        self.at >= asked || now.since(self.at) < self.pause
    }
}

impl Fetches {
    async fn place(&self, service: ServiceId, version: Option<&Version>) -> Place {
        let mut places = self.places.lock().await;
        Arc::clone(places.entry((service, version.cloned())).or_default())
    }

    pub(super) async fn forget(&self, service: ServiceId) {
        self.places.lock().await.retain(|(of, _), _| *of != service);
    }
}

/// Where the document of a service may be, most likely first.
fn addresses(base_url: &BaseUrl, docs_endpoint: Option<&str>) -> Vec<String> {
    let base = base_url.path();
    let below = |path: &str| format!("{base}/{path}");
    let docs = docs_endpoint.unwrap_or("docs").trim_matches('/');
    let is_document = [".json", ".yaml", ".yml"].iter().any(|ending| docs.ends_with(ending));
    if is_document {
        return vec![below(docs)];
    }
    let mut paths: Vec<String> = NAMES.iter().map(|name| below(&format!("{docs}/{name}"))).collect();
    if docs_endpoint.is_none() {
        // Where frameworks put it when nobody says otherwise.
        paths.extend([below("openapi.json"), below("swagger.json")]);
    }
    paths
}

impl Gateway {
    /// Finds where a request goes; fetches the service's document first if it is not known.
    ///
    /// # Errors
    /// As [`Target::route`] and [`Gateway::learn_specification`].
    pub async fn route(&self, target: &Target<'_>, method: &Method) -> Result<Route, Error> {
        if let Routing::To(route) = target.route(method)? {
            return Ok(route);
        }
        self.learn_specification(target.service.service.id, target.version.as_ref(), PATIENCE).await?;
        match target.again(&self.snapshot())?.route(method)? {
            Routing::To(route) => Ok(route),
            Routing::DocumentNeeded => Err(Error::NotFound),
        }
    }

    /// Fetches the document of one version of a service because a request needs it: once for
    /// all that wait, who share what comes of it, and after a failure not again for a while.
    /// Waits for the service about as long as `patience`. Does nothing if it is known.
    ///
    /// # Errors
    /// [`Error::SpecificationUnavailable`] or [`Error::SpecificationInvalid`] if the service
    /// does not give a document.
    pub async fn learn_specification(
        &self,
        service: ServiceId,
        version: Option<&Version>,
        patience: Duration,
    ) -> Result<(), Error> {
        let asked = self.parts.clock.now();
        let place = self.fetches.place(service, version).await;
        let waited = timeout(patience, place.lock()).await;
        // Another request may have fetched it while this one waited.
        let snapshot = self.snapshot();
        let registered = snapshot.find(service).ok_or(Error::NotFound)?;
        if registered.api(version).is_some() {
            return Ok(());
        }
        let (service, began) = (&registered.service, self.parts.clock.now());
        let unavailable =
            |reason| Error::SpecificationUnavailable { service: service.name.to_string(), reason };
        let Ok(mut failure) = waited else {
            return Err(unavailable(SourceError::TimedOut.to_string()));
        };
        if let Some(last) = failure.as_ref().filter(|last| last.answers(asked, began)) {
            return Err(unavailable(last.reason.clone()));
        }
        let left = patience.saturating_sub(began.since(asked));
        let fetched = self.fetch_and_store(&Principal::ANONYMOUS, service, version, left).await;
        *failure = fetched.as_ref().err().and_then(|error| Failure::of(error, began, self.parts.clock.now()));
        if let Err(error) = &fetched {
            warn!(service = %service.name, %error, "no document of the service");
        }
        fetched.map(drop)
    }

    /// Fetches the document of one version of a service again, and stores it.
    ///
    /// # Errors
    /// [`Error::SpecificationUnavailable`] or [`Error::SpecificationInvalid`] if the service does
    /// not give a document: then the stored one stays; [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn refresh_specification(
        &self,
        principal: &Principal,
        service: ServiceId,
        version: Option<&Version>,
    ) -> Result<Specification, Error> {
        self.parts.access.require_superuser(principal).await?;
        let service = self.find(service)?;
        let specification = self.fetch_and_store(principal, &service, version, PATIENCE).await?;
        self.fetches.forget(service.id).await;
        Ok(specification)
    }

    async fn fetch_and_store(
        &self,
        principal: &Principal,
        service: &Service,
        version: Option<&Version>,
        patience: Duration,
    ) -> Result<Specification, Error> {
        let version = version.or(service.default_version());
        let text = self.fetch(service, version, patience).await?;
        let (clock, random) = (self.parts.clock.as_ref(), self.parts.random.as_ref());
        let specification = Specification { version: version.cloned(), text, fetched_at: clock.now() };
        let facts = json!({ "version": specification.version, "bytes": specification.text.len() });
        let event = Event::new("gateway.specification.stored", service.id, facts, principal, clock, random);
        let change = Change::SpecificationStored {
            service: service.id,
            specification: Box::new(specification.clone()),
        };
        match self.parts.commits.commit(Part::of(None, change, event)).await {
            Ok(_) => {}
            Err(StoreError::Missing { .. }) => return Err(Error::NotFound),
            Err(error) => return Err(error.into()),
        }
        info!(service = %service.name, "document of the service stored");
        Ok(specification)
    }

    /// Asks an instance of the version, one address after the other, until one gives a document.
    async fn fetch(
        &self,
        service: &Service,
        version: Option<&Version>,
        patience: Duration,
    ) -> Result<String, Error> {
        let unavailable =
            |reason: String| Error::SpecificationUnavailable { service: service.name.to_string(), reason };
        let serving = service.instances.iter().filter(|instance| instance.version.as_ref() == version);
        let instance = serving
            .clone()
            .find(|instance| instance.state == InstanceState::Active)
            .or_else(|| serving.clone().next())
            .ok_or_else(|| unavailable("it has no instance of that version".to_owned()))?;
        let end = self.parts.clock.now().after(patience);
        let mut reasons = Vec::new();
        let mut refused = None;
        for path in addresses(&instance.base_url, service.docs_endpoint.as_deref()) {
            let url = url_of(&instance.base_url, &path).map_err(|error| unavailable(error.to_string()))?;
            let limit = FETCH_TIMEOUT.min(end.since(self.parts.clock.now()));
            match self.parts.source.fetch(&url, SPECIFICATION_BYTES_MAX, limit).await {
                Ok(Fetched { status: StatusCode::OK, body }) => {
                    match blocking::run(body.len(), move || text_of(&body)).await {
                        Ok(text) => return Ok(text),
                        Err(error) => refused = refused.or(Some(error)),
                    }
                }
                Ok(Fetched { status, .. }) => reasons.push(format!("{path} answered {}", status.as_u16())),
                Err(error @ (SourceError::Unreachable { .. } | SourceError::TimedOut)) => {
                    return Err(unavailable(error.to_string()));
                }
                Err(error @ SourceError::TooLarge { .. }) => reasons.push(format!("{path}: {error}")),
            }
        }
        Err(match refused {
            Some(source) => Error::SpecificationInvalid { service: service.name.to_string(), source },
            None => unavailable(reasons.join(", ")),
        })
    }
}

fn url_of(base_url: &BaseUrl, path: &str) -> Result<Uri, http::Error> {
    let authority = base_url.authority().clone();
    Uri::builder().scheme(base_url.scheme().clone()).authority(authority).path_and_query(path).build()
}

/// The text of a document that can be used.
fn text_of(body: &[u8]) -> Result<String, openapi::Error> {
    let text = std::str::from_utf8(body)
        .map_err(|_| openapi::Error::Malformed { came: "bytes that are no text in UTF-8".to_owned() })?;
    Api::read(text)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
