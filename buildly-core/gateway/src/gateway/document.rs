//! The one document of the core and all services, made when it is asked for and kept.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::Poll;
use std::time::Duration;

use buildly_model::{ServiceId, Timestamp};
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::warn;

use crate::blocking;
use crate::openapi::Document;
use crate::{Error, Gateway, Included, Snapshot, Version, merged_document};

/// Services whose documents are not known are asked again at most this often.
const ASK_INTERVAL: Duration = Duration::from_secs(30);
/// How long the document waits for services that are asked.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many services are asked at once.
const ASKED_AT_ONCE_MAX: usize = 64;

/// The document as it was made last, and from what.
#[derive(Default)]
pub(super) struct Merged {
    /// Held only while the document is made, never while a service is asked.
    made: Mutex<Option<(Arc<Snapshot>, Bytes)>>,
    asked_at: std::sync::Mutex<Option<Timestamp>>,
}

impl Merged {
    /// Whether services are to be asked now; if so, nobody else asks for a while.
    fn begin_to_ask(&self, now: Timestamp) -> bool {
        let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = asked_at.is_none_or(|asked| now.since(asked) >= ASK_INTERVAL);
        if is_due {
            *asked_at = Some(now);
        }
        is_due
    }
}

/// A document that a service has or should have.
struct Wanted {
    service: ServiceId,
    path: String,
    prefix: String,
    version: Option<Version>,
    is_known: bool,
}

/// A service being asked for its document.
type Asked<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

impl Gateway {
    /// The OpenAPI 3.1 document of the core (`core`, always the same one) and of every service,
    /// as JSON. A service that gives no usable document is left out, and so is one that is being
    /// asked for it by somebody else.
    ///
    /// # Errors
    /// [`Error::Store`] if the stored documents cannot be read.
    pub async fn merged_document(&self, core: &Value) -> Result<Bytes, Error> {
        if self.merged.begin_to_ask(self.parts.clock.now()) {
            self.learn_unknown(&self.snapshot()).await;
        }
        let mut made = self.merged.made.lock().await;
        let snapshot = self.snapshot();
        if let Some((of, document)) = made.as_ref()
            && Arc::ptr_eq(of, &snapshot)
        {
            return Ok(document.clone());
        }
        let document = self.merge(core, &snapshot).await?;
        *made = Some((snapshot, document.clone()));
        Ok(document)
    }

    /// Fetches the documents of these services at once, as
    /// [`learn_specification`](Self::learn_specification) does; those that give none stay unknown.
    pub async fn learn_specifications(&self, services: &[ServiceId], patience: Duration) {
        self.learn_all(services.iter().map(|service| (*service, None)), patience).await;
    }

    /// Asks services whose document is not known for it; those that are down stay unknown.
    async fn learn_unknown(&self, snapshot: &Snapshot) {
        let wanted = wanted(snapshot);
        let unknown = wanted.iter().filter(|one| !one.is_known);
        self.learn_all(unknown.map(|one| (one.service, one.version.as_ref())), PATIENCE).await;
    }

    async fn learn_all<'a>(
        &'a self,
        unknown: impl Iterator<Item = (ServiceId, Option<&'a Version>)>,
        patience: Duration,
    ) {
        let mut asked: Vec<Asked<'_>> = unknown
            .take(ASKED_AT_ONCE_MAX)
            .map(|(service, version)| {
                Box::pin(self.learn_specification(service, version, patience)) as Asked<'_>
            })
            .collect();
        poll_fn(|context| {
            asked.retain_mut(|one| one.as_mut().poll(context).is_pending());
            if asked.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    async fn merge(&self, core: &Value, snapshot: &Snapshot) -> Result<Bytes, Error> {
        let mut stored = Vec::new();
        for one in wanted(snapshot).into_iter().filter(|one| one.is_known) {
            let found = self.parts.store.find_specification(one.service, one.version.as_ref()).await?;
            stored.extend(found.map(|found| (one, found.text)));
        }
        let bytes = stored.iter().map(|(_, text)| text.len()).sum();
        let core = core.clone();
        Ok(blocking::run(bytes, move || merged(&core, &stored)).await)
    }
}

fn merged(core: &Value, stored: &[(Wanted, String)]) -> Bytes {
    let mut included = Vec::new();
    for (one, text) in stored {
        match Document::read(text) {
            Ok(document) => included.push(Included { path: &one.path, prefix: &one.prefix, document }),
            Err(error) => warn!(service = one.path, %error, "stored document cannot be read"),
        }
    }
    Bytes::from(merged_document(core, included).to_string())
}

/// One document for each version of each service, as it stands before the paths.
fn wanted(snapshot: &Snapshot) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for registered in snapshot.services() {
        let service = &registered.service;
        let default = service.default_version();
        let mut versions: Vec<Option<&Version>> =
            service.instances.iter().map(|instance| instance.version.as_ref()).collect();
        versions.sort_unstable();
        versions.dedup();
        for version in versions {
            let before = version.filter(|_| version != default);
            let path = before
                .map_or_else(|| service.name.to_string(), |version| format!("{version}/{}", service.name));
            let prefix = before
                .map_or_else(|| service.name.to_string(), |version| format!("{}{version}", service.name));
            let is_known = registered.api(version).is_some();
            wanted.push(Wanted { service: service.id, path, prefix, version: version.cloned(), is_known });
        }
    }
    wanted
}

#[cfg(test)]
mod tests;
