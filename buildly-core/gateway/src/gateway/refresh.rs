//! Fetches the documents of services: when somebody asks, or when a request first needs one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use buildly_journal::{Event, Part};
use buildly_model::{Principal, ServiceId, StoreError, Timestamp};
use http::{Method, StatusCode, Uri};
use serde_json::json;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::openapi::{self, Api};
use crate::{
    BaseUrl, Change, Error, Fetched, Gateway, InstanceState, Route, Routing, SPECIFICATION_BYTES_MAX,
    Service, SourceError, Specification, Target, Version,
};

/// How long one address may take to give a document.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// After a failure, requests that need the document are refused at once for so long.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
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
    at: Timestamp,
    reason: String,
}

impl Failure {
    /// A failure of the service; one of the storage is not remembered.
    fn of(error: &Error, at: Timestamp) -> Option<Self> {
        let reason = match error {
            Error::SpecificationUnavailable { reason, .. } => reason.clone(),
            Error::SpecificationInvalid { source, .. } => source.to_string(),
            _ => return None,
        };
        Some(Self { at, reason })
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
        self.learn_specification(target.service.service.id, target.version.as_ref()).await?;
        match target.again(&self.snapshot())?.route(method)? {
            Routing::To(route) => Ok(route),
            Routing::DocumentNeeded => Err(Error::NotFound),
        }
    }

    /// Fetches the document of one version of a service because a request needs it: once for
    /// all that wait, and after a failure not again for a second. Does nothing if it is known.
    ///
    /// # Errors
    /// [`Error::SpecificationUnavailable`] or [`Error::SpecificationInvalid`] if the service
    /// does not give a document.
    pub async fn learn_specification(
        &self,
        service: ServiceId,
        version: Option<&Version>,
    ) -> Result<(), Error> {
        let place = self.fetches.place(service, version).await;
        let mut failure = place.lock().await;
        // Another request may have fetched it while this one waited.
        let snapshot = self.snapshot();
        let registered = snapshot.find(service).ok_or(Error::NotFound)?;
        if registered.api(version).is_some() {
            return Ok(());
        }
        let (service, now) = (&registered.service, self.parts.clock.now());
        if let Some(last) = failure.as_ref().filter(|last| now.since(last.at) < PAUSE_AFTER_FAILURE) {
            let (service, reason) = (service.name.to_string(), last.reason.clone());
            return Err(Error::SpecificationUnavailable { service, reason });
        }
        let fetched = self.fetch_and_store(&Principal::ANONYMOUS, service, version).await;
        *failure = fetched.as_ref().err().and_then(|error| Failure::of(error, now));
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
        let specification = self.fetch_and_store(principal, &service, version).await?;
        self.fetches.forget(service.id).await;
        Ok(specification)
    }

    async fn fetch_and_store(
        &self,
        principal: &Principal,
        service: &Service,
        version: Option<&Version>,
    ) -> Result<Specification, Error> {
        let version = version.or(service.default_version());
        let text = self.fetch(service, version).await?;
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
    async fn fetch(&self, service: &Service, version: Option<&Version>) -> Result<String, Error> {
        let unavailable =
            |reason: String| Error::SpecificationUnavailable { service: service.name.to_string(), reason };
        let serving = service.instances.iter().filter(|instance| instance.version.as_ref() == version);
        let instance = serving
            .clone()
            .find(|instance| instance.state == InstanceState::Active)
            .or_else(|| serving.clone().next())
            .ok_or_else(|| unavailable("it has no instance of that version".to_owned()))?;
        let mut reasons = Vec::new();
        let mut refused = None;
        for path in addresses(&instance.base_url, service.docs_endpoint.as_deref()) {
            let url = url_of(&instance.base_url, &path).map_err(|error| unavailable(error.to_string()))?;
            match self.parts.source.fetch(&url, SPECIFICATION_BYTES_MAX, FETCH_TIMEOUT).await {
                Ok(Fetched { status: StatusCode::OK, body }) => match text_of(&body) {
                    Ok(text) => return Ok(text),
                    Err(error) => refused = refused.or(Some(error)),
                },
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
