//! Reading with a join: keys from the links, records from the services, lists for the answer.

use std::collections::HashMap;

use buildly_model::StoreError;
use bytes::Bytes;

use crate::document::Document;
use crate::fault::{Fault, Reason};
use crate::fetch::{Caller, Fetched, distinct};
use crate::join::{Added, Joining};
use crate::plan::{Plan, PlannedBranch};
use crate::{Error, Key, LINK_KEYS_MAX, Links, bounded};

/// The most links of one branch of one answer.
const LINKS_MAX: u32 = 20_000;
/// How many kinds of records are fetched at once.
const FETCHES_AT_ONCE_MAX: usize = 8;

/// The keys that one branch wants, for each record of the answer.
type Wanted = Vec<Vec<Key>>;

impl Joining {
    /// Joins the records of a document.
    pub(crate) async fn read(&self, document: &Document) -> Result<Added, Error> {
        if document.records.iter().any(|record| record.key.is_none()) {
            return Err(Error::Misconfigured {
                reason: format!(
                    "a record of `{}` has no field `{}`, which should hold its key; correct `lookup_field_name` of the model",
                    self.record_type.full_name(),
                    self.record_type.key_field
                ),
            });
        }
        let wanted = self.wanted_keys(document, |_| true).await?;
        Ok(self.fetch_wanted(wanted).await)
    }

    /// The keys that the branches want that `is_wanted` names; none for the others.
    pub(crate) async fn wanted_keys(
        &self,
        document: &Document,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Result<(Vec<Wanted>, Vec<Fault>), StoreError> {
        let mut foreign_keys = 0;
        let mut all = Vec::with_capacity(self.plan.branches.len());
        let mut faults = Vec::new();
        for (place, branch) in self.plan.branches.iter().enumerate() {
            let field = foreign_keys;
            foreign_keys += usize::from(branch.foreign_key.is_some());
            let wanted = match (&branch.fetch, branch.branch.links) {
                (Ok(_), Links::ForeignKey) if is_wanted(place) => {
                    let key = |record: &crate::document::Record| record.fields.get(field).cloned().flatten();
                    document.records.iter().map(|record| key(record).into_iter().collect()).collect()
                }
                (Ok(_), Links::JoinRecords) if is_wanted(place) => {
                    let (wanted, is_complete) = self.linked_keys(branch, document).await?;
                    if !is_complete {
                        faults.push(fault(branch, Reason::Incomplete, 0));
                    }
                    wanted
                }
                (Err(reason), _) if is_wanted(place) => {
                    faults.push(fault(branch, *reason, 0));
                    vec![Vec::new(); document.records.len()]
                }
                _ => vec![Vec::new(); document.records.len()],
            };
            all.push(wanted);
        }
        Ok((all, faults))
    }

    /// The keys of the records that are linked to those of the document, and whether these are all.
    async fn linked_keys(
        &self,
        branch: &PlannedBranch,
        document: &Document,
    ) -> Result<(Wanted, bool), StoreError> {
        let none = vec![Vec::new(); document.records.len()];
        let Some(organization) = self.asked.principal.organization else { return Ok((none, true)) };
        let (relationship, side) = (branch.branch.relationship, branch.branch.side);
        let keys = distinct(document.records.iter().filter_map(|record| record.key.as_ref()));
        let mut by_key: HashMap<Key, Vec<Key>> = HashMap::new();
        let mut left = LINKS_MAX;
        for keys in keys.chunks(LINK_KEYS_MAX) {
            let links = self.mesh.parts.store.links(organization, relationship, side, keys, left).await?;
            left = left.saturating_sub(u32::try_from(links.len()).unwrap_or(u32::MAX));
            for link in links {
                by_key
                    .entry(link.key_at(side).clone())
                    .or_default()
                    .push(link.key_at(side.opposite()).clone());
            }
            if left == 0 {
                break;
            }
        }
        let of = |key: Option<&Key>| key.and_then(|key| by_key.get(key)).cloned().unwrap_or_default();
        Ok((document.records.iter().map(|record| of(record.key.as_ref())).collect(), left > 0))
    }

    /// Fetches what the branches want, each kind of record once, and hands it out.
    pub(crate) async fn fetch_wanted(&self, (wanted, faults): (Vec<Wanted>, Vec<Fault>)) -> Added {
        let caller = self.caller();
        let mut fetches = fetch_all(&caller, &self.plan, &wanted).await;
        let held = fetches.iter_mut().flat_map(|fetched| std::mem::take(&mut fetched.held)).collect();
        let mut added = Added { faults, held, ..Added::default() };
        for (fetch, fetched) in self.plan.fetches.iter().zip(&fetches) {
            if fetched.calls > 0 {
                *added.calls.entry(fetch.record_type.service.clone()).or_default() += fetched.calls;
            }
        }
        for (branch, wanted) in self.plan.branches.iter().zip(&wanted) {
            let fetched = branch.fetch.ok().and_then(|place| fetches.get(place));
            let wants_some = wanted.iter().any(|keys| !keys.is_empty());
            if let Some(fetched) = fetched.filter(|_| wants_some) {
                added.faults.extend(fetched.troubles.iter().map(|trouble| Fault {
                    detail: trouble.detail.clone(),
                    ..fault(branch, trouble.reason, trouble.records)
                }));
            }
            let record = |key: &Key| fetched.and_then(|fetched| fetched.records.get(key)).cloned();
            let list = |keys: &Vec<Key>| keys.iter().filter_map(record).collect::<Vec<Bytes>>();
            added.lists.push(wanted.iter().map(list).collect());
        }
        added
    }
}

async fn fetch_all(caller: &Caller<'_>, plan: &Plan, wanted: &[Wanted]) -> Vec<Fetched> {
    let keys_of = |place: usize| {
        let branches = plan.branches.iter().zip(wanted).filter(move |(branch, _)| branch.fetch == Ok(place));
        distinct(branches.flat_map(|(_, wanted)| wanted.iter().flatten()))
    };
    let fetches = plan.fetches.iter().enumerate().map(|(place, fetch)| {
        let keys = keys_of(place);
        async move { if keys.is_empty() { Fetched::default() } else { caller.fetch(fetch, &keys).await } }
    });
    bounded::run(fetches.collect(), FETCHES_AT_ONCE_MAX).await
}

pub(crate) fn fault(branch: &PlannedBranch, reason: Reason, records: usize) -> Fault {
    let (relationship, service) = (branch.key.clone(), branch.service.clone());
    Fault { relationship, service, reason, records, detail: None }
}
