//! The handle of the area's operations.

use std::sync::Arc;

use buildly_journal::{Commit, Event as Fact};
use buildly_model::{Clock, OrganizationId, Principal, Random, StoreError};
use moka::sync::Cache;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::advance::Loaded;
use crate::bells::place;
use crate::handover::Handover;
use crate::template::is_name;
use crate::{Access, Bells, Change, Compiled, Error, Store, StoredTemplate, Template, Work, compile};

/// How many compiled templates are kept.
const COMPILED_MAX: u64 = 1_000;
/// Steps of one run are decided one after the other on a node; runs share this many turns.
const TURNS: usize = 1024;

/// How often a decision is taken again when the stored state has moved on.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

/// The operations of workflows; cheap to clone.
#[derive(Clone)]
pub struct Workflow {
    pub(crate) parts: Arc<Parts>,
    compiled: Cache<(OrganizationId, String, u32), Arc<Compiled>>,
    turns: Arc<[Turn]>,
    pub(crate) handover: Arc<Handover>,
}

/// The turn of some runs, with the one that had it last as it was then, if it is small. Nothing
/// relies on it: a step is refused if the run has moved on meanwhile.
pub(crate) type Turn = Mutex<Option<Loaded>>;

/// What the operations need from outside.
pub struct Parts {
    /// Reads.
    pub store: Arc<dyn Store>,
    /// What nodes take.
    pub work: Arc<dyn Work>,
    /// Writes.
    pub commits: Arc<dyn Commit<Change>>,
    /// Rights, and the world outside.
    pub access: Arc<dyn Access>,
    /// Whoever waits for work or for a run.
    pub bells: Arc<Bells>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
}

impl Workflow {
    /// Connects the operations with their outside.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let turns = (0..TURNS).map(|_| Turn::default()).collect();
        let handover = Arc::default();
        Self { parts: Arc::new(parts), compiled: Cache::new(COMPILED_MAX), turns, handover }
    }

    pub(crate) fn fact(
        &self,
        kind: &'static str,
        subject: impl ToString,
        payload: impl Serialize,
        principal: &Principal,
    ) -> Fact {
        Fact::new(kind, subject, payload, principal, &*self.parts.clock, &*self.parts.random)
    }

    /// The turn of a run on this node.
    pub(crate) fn turn(&self, run: buildly_model::RunId) -> Option<&Turn> {
        self.turns.get(place(run, TURNS))
    }

    /// One version of a template; without one the newest that is published.
    pub(crate) async fn find_template(
        &self,
        organization: OrganizationId,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredTemplate>, StoreError> {
        // What can be no name is not asked for: databases refuse texts with null characters.
        if !is_name(name) {
            return Ok(None);
        }
        self.parts.store.find_template(organization, name, version).await
    }

    /// A published or retired version in the form that runs; it never changes.
    pub(crate) async fn compiled(
        &self,
        organization: OrganizationId,
        name: &str,
        version: u32,
    ) -> Result<Arc<Compiled>, Error> {
        let key = (organization, name.to_owned(), version);
        if let Some(compiled) = self.compiled.get(&key) {
            return Ok(compiled);
        }
        let stored = self.find_template(organization, name, Some(version)).await?;
        let stored = stored.ok_or_else(|| Error::not_found("template", format!("{name} {version}")))?;
        let compiled = Arc::new(compiled(&stored)?);
        self.compiled.insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// The template of a stored version.
pub(crate) fn parsed(stored: &StoredTemplate) -> Result<Template, Error> {
    Template::from_json(stored.document.as_bytes()).map_err(|error| corrupt(stored, &error.to_string()))
}

fn compiled(stored: &StoredTemplate) -> Result<Compiled, Error> {
    compile(&parsed(stored)?).map_err(|findings| {
        let first = findings.first().map(ToString::to_string).unwrap_or_default();
        corrupt(stored, &first)
    })
}

fn corrupt(stored: &StoredTemplate, reason: &str) -> Error {
    let StoredTemplate { name, version, .. } = stored;
    let reason = format!("version {version} of template `{name}` cannot be used by this release: {reason}");
    StoreError::Corrupt { reason }.into()
}
