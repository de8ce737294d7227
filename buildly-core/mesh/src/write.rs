//! Writing with a join: the related records first, then the links, in one unit.

use std::collections::HashMap;
use std::sync::atomic::AtomicU32;

use buildly_journal::Part;
use buildly_model::{JoinRecordId, OrganizationId, RelationshipId, ServiceId, StoreError};
use bytes::Bytes;
use http::Method;
use serde_json::value::RawValue;

use crate::document::{Document, Expected, Wanted, rewrite};
use crate::fault::{Fault, Reason};
use crate::fetch::{Caller, Content, Trouble, not_in_a_path};
use crate::gather::Held;
use crate::join::{Added, Joining};
use crate::join_records::payload;
use crate::linking::{Item, Members, Wish};
use crate::mesh::ATTEMPTS_MAX;
use crate::plan::PlannedBranch;
use crate::read::fault;
use crate::record_types::is_outrun;
use crate::{Change, Error, JoinRecord, Key, Links, Resource, Side};

/// Links to make and to take away, as (relationship, origin, related).
#[derive(Debug, Default)]
struct LinkChanges {
    made: Vec<Pair>,
    removed: Vec<Pair>,
}

type Pair = (RelationshipId, Key, Key);

/// A related record as it was written.
struct Written {
    key: Key,
    bytes: Bytes,
    previous: Option<Key>,
    /// The memory that the record takes.
    held: Vec<Held>,
}

impl Joining {
    /// Writes the related records and the links; `document` is the service's answer, if it
    /// shows the record.
    pub(crate) async fn write(&self, document: Option<&Document>) -> Result<Added, Error> {
        let shown = document.and_then(|document| document.records.first());
        let key = shown.and_then(|record| record.key.clone()).or_else(|| self.key.clone());
        let has_items = |place: usize| self.wish_of(place).is_some_and(|wish| !wish.items.is_empty());
        let Some(key) = key else {
            let mut added = self.nothing(document);
            let detail = format!(
                "the answer has no field `{}` with the key of the new record",
                self.record_type.key_field
            );
            let branches = self.plan.branches.iter().enumerate().filter(|(place, _)| has_items(*place));
            added.faults.extend(branches.map(|(_, branch)| Fault {
                detail: Some(detail.clone()),
                ..fault(branch, Reason::KeyMissing, 1)
            }));
            return Ok(added);
        };
        // Relationships that the request does not mention show what is there.
        let is_read = |place: usize| match self.wish_of(place) {
            None => true,
            Some(wish) => wish.items.is_empty() && self.is_by_foreign_key(place),
        };
        let mut links = LinkChanges::default();
        let mut added = match document {
            Some(document) => self.fetch_wanted(self.wanted_keys(document, is_read).await?).await,
            None => self.nothing(None),
        };
        self.link_by_foreign_keys(document, &key, &added, &mut links);
        for (place, branch) in self.plan.branches.iter().enumerate() {
            let Some(wish) = self.wish_of(place).filter(|wish| !wish.items.is_empty()) else { continue };
            let records = self.write_related(wish, branch, &key, &mut added, &mut links).await;
            if let Some(first) = added.lists.get_mut(place).and_then(|lists| lists.first_mut()) {
                *first = records;
            }
        }
        if let Err(error) = self.relink(&links).await {
            tracing::warn!(%error, "related records were written, but could not be linked");
            let linked = links.made.iter().map(|(relationship, ..)| *relationship);
            let is_concerned =
                |branch: &&PlannedBranch| linked.clone().any(|one| one == branch.branch.relationship);
            let branches = self.plan.branches.iter().filter(is_concerned);
            added.faults.extend(branches.map(|branch| fault(branch, Reason::NotLinked, 1)));
        }
        Ok(added)
    }

    fn wish_of(&self, place: usize) -> Option<&Wish> {
        let branch = self.plan.branches.get(place)?.branch;
        self.wishes.iter().find(|wish| wish.relationship.id == branch.relationship)
    }

    fn is_by_foreign_key(&self, place: usize) -> bool {
        self.plan.branches.get(place).is_some_and(|branch| branch.branch.links == Links::ForeignKey)
    }

    /// Empty lists for every branch and record.
    fn nothing(&self, document: Option<&Document>) -> Added {
        let lists = vec![Vec::new(); document.map_or(1, |document| document.records.len())];
        Added { lists: vec![lists; self.plan.branches.len()], ..Added::default() }
    }

    /// A record that another names in its field, and that is there, is linked to it.
    fn link_by_foreign_keys(
        &self,
        document: Option<&Document>,
        key: &Key,
        added: &Added,
        links: &mut LinkChanges,
    ) {
        let Some(record) = document.and_then(|document| document.records.first()) else { return };
        let by_field =
            self.plan.branches.iter().zip(&added.lists).filter(|(branch, _)| branch.foreign_key.is_some());
        for ((branch, lists), other) in by_field.zip(&record.fields) {
            let is_there = lists.first().is_some_and(|records| !records.is_empty());
            if let Some(other) = other.as_ref().filter(|_| is_there) {
                links.made.push((branch.branch.relationship, key.clone(), other.clone()));
            }
        }
    }

    /// Writes the related records of one wish, in their order; those that were written.
    async fn write_related(
        &self,
        wish: &Wish,
        branch: &PlannedBranch,
        key: &Key,
        added: &mut Added,
        links: &mut LinkChanges,
    ) -> Vec<Bytes> {
        let calls = AtomicU32::new(0);
        let mut records = Vec::with_capacity(wish.items.len());
        for (number, item) in wish.items.iter().enumerate() {
            match self.write_item(wish, branch, (number, item), key, &calls).await {
                Ok(written) => {
                    let pair = |other: Key| match wish.side {
                        Side::Origin => (wish.relationship.id, key.clone(), other),
                        Side::Related => (wish.relationship.id, other, key.clone()),
                    };
                    links
                        .removed
                        .extend(written.previous.filter(|previous| *previous != written.key).map(pair));
                    links.made.push(pair(written.key));
                    records.push(written.bytes);
                    added.held.extend(written.held);
                }
                Err(trouble) => added
                    .faults
                    .push(Fault { detail: trouble.detail, ..fault(branch, trouble.reason, trouble.records) }),
            }
        }
        let calls = calls.into_inner();
        if calls > 0 {
            *added.calls.entry(wish.record_type.service.clone()).or_default() += calls;
        }
        records
    }

    async fn write_item(
        &self,
        wish: &Wish,
        branch: &PlannedBranch,
        (number, item): (usize, &Item),
        key: &Key,
        calls: &AtomicU32,
    ) -> Result<Written, Trouble> {
        let caller = self.caller();
        let unknown_path = || Trouble::new(Reason::UnknownPath, 1);
        let content = |members| Content {
            body: body_of(members, wish, key),
            idempotency_key: self.asked.along.key_of(wish.relationship.id, number),
        };
        let target = || wish.target.as_ref().ok_or_else(unknown_path);
        match item {
            Item::Create(members) => {
                let (service, Resource { list_path, .. }) = target()?;
                let path = list_path.as_deref().ok_or_else(unknown_path)?;
                self.send(&caller, wish, *service, Method::POST, path, content(members), calls).await
            }
            Item::Update { key: other, method, members } => {
                let (service, Resource { detail_path, .. }) = target()?;
                let path = detail_path.as_ref().ok_or_else(unknown_path)?;
                let path = path.of_key(other).ok_or_else(|| not_in_a_path(other))?;
                let (method, content) = (method.clone(), content(members));
                let written = self.send(&caller, wish, *service, method, &path, content, calls).await?;
                Ok(Written { key: other.clone(), ..written })
            }
            Item::Link { key: other, previous } => {
                let place = branch.fetch.map_err(|reason| Trouble::new(reason, 1))?;
                let fetch = self.plan.fetches.get(place).ok_or_else(unknown_path)?;
                let mut fetched = caller.fetch(fetch, std::slice::from_ref(other)).await;
                calls.fetch_add(fetched.calls, std::sync::atomic::Ordering::Relaxed);
                match fetched.records.remove(other) {
                    Some(bytes) => {
                        let (key, previous) = (other.clone(), previous.clone());
                        Ok(Written { key, bytes, previous, held: fetched.held })
                    }
                    None => Err(fetched.troubles.into_iter().next().unwrap_or(Trouble {
                        reason: Reason::Status(404),
                        records: 1,
                        detail: Some(format!("there is no record `{other}` to link")),
                    })),
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call's parts, and where it is counted")]
    async fn send(
        &self,
        caller: &Caller<'_>,
        wish: &Wish,
        service: ServiceId,
        method: Method,
        path: &str,
        content: Content,
        calls: &AtomicU32,
    ) -> Result<Written, Trouble> {
        let body = content.body.clone();
        let sent_key = serde_json::from_slice::<Members>(&body).ok();
        let mut answer = caller.call(service, method, path, Some(content), calls).await?;
        if !answer.status.is_success() {
            return Err(answer.trouble(1));
        }
        let wanted = Wanted { key_field: &wish.record_type.key_field, fields: &[], reserved: &[] };
        let shown = if answer.body.is_empty() { body } else { std::mem::take(&mut answer.body) };
        let document = match Document::scan(shown, Expected::Detail, &wanted) {
            Ok(Some(document)) => document,
            Ok(None) => return Err(Trouble::new(Reason::Unreadable, 1)),
            Err(malformed) => {
                let detail = Some(malformed.to_string());
                return Err(Trouble { reason: Reason::Unreadable, records: 1, detail });
            }
        };
        let record = document.records.first().ok_or_else(|| Trouble::new(Reason::Unreadable, 1))?;
        let own = sent_key.and_then(|members| {
            let value = members.get(&wish.record_type.key_field)?;
            serde_json::from_str(value.get()).ok().and_then(|value| Key::of_value(&value))
        });
        let key = record.key.clone().or(own).ok_or_else(|| Trouble::new(Reason::KeyMissing, 1))?;
        let bytes = document.slice(record);
        let bytes = if record.is_verbatim { bytes } else { rewrite(&bytes, &[]).unwrap_or_default().into() };
        Ok(Written { key, bytes, previous: None, held: vec![answer.held] })
    }

    /// Makes and takes away links in one unit; what is so already stays.
    async fn relink(&self, links: &LinkChanges) -> Result<(), StoreError> {
        if links.made.is_empty() && links.removed.is_empty() {
            return Ok(());
        }
        let organization =
            self.asked.principal.organization.ok_or(StoreError::Missing { what: "organization" })?;
        for attempt in 1.. {
            let part = self.decide_links(organization, links).await?;
            if part.changes.is_empty() {
                return Ok(());
            }
            match self.mesh.parts.commits.commit(part).await {
                Ok(_) => return Ok(()),
                Err(error) if attempt < ATTEMPTS_MAX && is_outrun(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Stale)
    }

    async fn decide_links(
        &self,
        organization: OrganizationId,
        links: &LinkChanges,
    ) -> Result<Part<Change>, StoreError> {
        let (clock, random) = (&*self.mesh.parts.clock, &*self.mesh.parts.random);
        let principal = &self.asked.principal;
        let mut part = Part::of_all(Some(organization), Vec::new(), Vec::new());
        let mut seen: HashMap<Pair, ()> = HashMap::new();
        let record = |(relationship, origin, related): &Pair| JoinRecord {
            id: JoinRecordId::generate(clock.now(), random),
            organization,
            relationship: *relationship,
            origin: origin.clone(),
            related: related.clone(),
        };
        for pair in &links.removed {
            if let Some(known) = self.mesh.find_pair(&record(pair)).await? {
                part.events.push(self.mesh.event(
                    "mesh.join_record.deleted",
                    known.id,
                    payload(&known),
                    principal,
                ));
                part.changes.push(Change::JoinRecordDeleted(known.id));
            }
        }
        for pair in &links.made {
            let new = record(pair);
            if seen.insert(pair.clone(), ()).is_none() && self.mesh.find_pair(&new).await?.is_none() {
                part.events.push(self.mesh.event(
                    "mesh.join_record.created",
                    new.id,
                    payload(&new),
                    principal,
                ));
                part.changes.push(Change::JoinRecordCreated(new));
            }
        }
        Ok(part)
    }
}

/// The body for the related record: where the services keep the link in a field, it is set.
fn body_of(members: &Members, wish: &Wish, key: &Key) -> Bytes {
    let mut body: HashMap<&str, &RawValue> =
        members.iter().map(|(name, value)| (name.as_str(), &**value)).collect();
    let own =
        wish.relationship.foreign_key.as_deref().zip(RawValue::from_string(key.to_value().to_string()).ok());
    if let Some((field, value)) = &own {
        body.insert(field, value);
    }
    serde_json::to_vec(&body).unwrap_or_default().into()
}
