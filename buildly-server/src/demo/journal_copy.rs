//! A copy of a journal in memory: what the demo damages where the database is no file.

use std::collections::BTreeMap;

use async_trait::async_trait;
use buildly_core::journal::{Chain, EventFilter, Head, History, StoredEvent};
use buildly_model::{OrganizationId, StoreError};

/// How many events, or ends of chains, are read at once.
const ROWS_MAX: u32 = 1000;

/// The chains, as they were when they were read.
pub(super) struct JournalCopy {
    chains: BTreeMap<Option<OrganizationId>, (Head, Vec<StoredEvent>)>,
}

impl JournalCopy {
    pub(super) async fn of(history: &impl History) -> Result<Self, StoreError> {
        let mut chains = BTreeMap::new();
        let mut after = None;
        loop {
            let heads = history.heads(after, ROWS_MAX).await?;
            for head in &heads {
                let mut events: Vec<StoredEvent> = Vec::new();
                loop {
                    let last = events.last().map_or(0, |event| event.sequence);
                    let page = history.events(head.organization, last, ROWS_MAX).await?;
                    if page.is_empty() {
                        break;
                    }
                    events.extend(page);
                }
                chains.insert(head.organization, (*head, events));
            }
            let last = heads.last().and_then(|head| head.organization);
            if last.is_none() || last == after {
                return Ok(Self { chains });
            }
            after = last;
        }
    }

    /// Puts another byte at the end of the first text `needle` in a payload; whether there is one.
    pub(super) fn damage(&mut self, needle: &str, damaged: &str) -> bool {
        let events = self.chains.values_mut().flat_map(|(_, events)| events);
        let mut payloads = events.filter_map(|event| event.payload.as_mut());
        let Some(payload) = payloads.find(|payload| payload.contains(needle)) else { return false };
        *payload = payload.replacen(needle, damaged, 1);
        true
    }
}

#[async_trait]
impl History for JournalCopy {
    async fn head(&self, organization: Option<OrganizationId>) -> Result<Head, StoreError> {
        Ok(self.chains.get(&organization).map_or(Chain::empty(organization), |(head, _)| *head))
    }

    async fn heads(&self, after: Option<OrganizationId>, heads_max: u32) -> Result<Vec<Head>, StoreError> {
        let later = self.chains.values().filter(|(head, _)| after.is_none() || head.organization > after);
        Ok(later.map(|(head, _)| *head).take(heads_max as usize).collect())
    }

    async fn events(
        &self,
        organization: Option<OrganizationId>,
        after_sequence: u64,
        events_max: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let events = self.chains.get(&organization).map_or(&[][..], |(_, events)| events);
        let later = events.iter().filter(|event| event.sequence > after_sequence);
        Ok(later.take(events_max as usize).cloned().collect())
    }

    async fn find_events(
        &self,
        _: Option<OrganizationId>,
        _: &EventFilter,
        _: Option<u64>,
        _: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        Err(StoreError::Unavailable { reason: "a copy is only verified".to_owned(), source: None })
    }
}
