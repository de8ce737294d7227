//! Reads lists to their end: services may answer with fewer rows than were asked for.

use std::collections::HashSet;
use std::sync::atomic::AtomicU32;

use buildly_model::ServiceId;
use http::{HeaderMap, Method as HttpMethod, header};

use super::{Caller, Fetched, Trouble, take};
use crate::Key;
use crate::document::{Expected, Next};
use crate::fault::Reason;
use crate::plan::{Fetch, encoded};

/// The most calls for one chunk of keys; if there is still more, the branch is incomplete.
const CALLS_MAX: u32 = 50;

/// A list to ask.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) service: ServiceId,
    pub(super) fetch: &'a Fetch,
    pub(super) path: &'a str,
    /// The parameter that takes keys; without one the whole list is read.
    pub(super) parameter: Option<&'a str>,
}

impl Question<'_> {
    fn first_page(&self, keys: &[Key]) -> String {
        match self.parameter {
            Some(parameter) => {
                let keys: Vec<String> = keys.iter().map(|key| encoded(&key.to_string())).collect();
                format!("{}?{}={}", self.path, encoded(parameter), keys.join(","))
            }
            None => self.path.to_owned(),
        }
    }

    /// Where the next page is. Only the query of an address counts: nothing leads to another
    /// host or path than the service's own list.
    fn next_page(&self, next: &str, keys: &[Key]) -> Option<String> {
        if next.contains("://") || next.starts_with(['/', '?']) {
            let (_, query) = next.split_once('?')?;
            let query = query.split('#').next().unwrap_or_default();
            return Some(format!("{}?{query}", self.path));
        }
        let first = self.first_page(keys);
        let separator = if first.contains('?') { '&' } else { '?' };
        Some(format!("{first}{separator}cursor={}", encoded(next)))
    }
}

impl Caller<'_> {
    /// Asks for some keys and reads on until all have come or there is nothing more.
    pub(super) async fn fetch_list(&self, question: Question<'_>, keys: &[Key]) -> Fetched {
        let mut fetched = Fetched::default();
        let calls = AtomicU32::new(0);
        let mut missing: HashSet<Key> = keys.iter().cloned().collect();
        let mut path = question.first_page(keys);
        for number in 1..=CALLS_MAX {
            let answer = match self.call(question.service, HttpMethod::GET, &path, None, &calls).await {
                Ok(answer) if answer.status.is_success() => answer,
                Ok(answer) => {
                    fetched.troubles.push(answer.trouble(missing.len()));
                    break;
                }
                Err(trouble) => {
                    fetched.troubles.push(Trouble { records: missing.len(), ..trouble });
                    break;
                }
            };
            let link = next_link(&answer.headers);
            fetched.held.push(answer.held);
            let is_asked = &mut |key: &Key| missing.remove(key);
            let Some(taken) = take(&mut fetched, answer.body, Expected::List, question.fetch, is_asked)
            else {
                break;
            };
            let next = match (taken.next, link) {
                (Next::Unsaid, Some(link)) => Next::At(link),
                (next, _) => next,
            };
            let followed = match next {
                _ if missing.is_empty() => break,
                Next::Last => break,
                Next::At(next) => question.next_page(&next, keys),
                // It does not say whether that was all. Asking for the rest shows it: what does
                // not come then is not there. A whole list cannot be asked for its rest.
                Next::Unsaid if question.parameter.is_none() => None,
                // Only rows that nobody asked for: it does not take keys, and may have more pages.
                Next::Unsaid if taken.records == 0 && taken.unasked > 0 => None,
                Next::Unsaid if taken.records == 0 => break,
                Next::Unsaid => {
                    let rest: Vec<Key> = keys.iter().filter(|key| missing.contains(*key)).cloned().collect();
                    Some(question.first_page(&rest))
                }
            };
            let Some(next) = followed.filter(|_| number < CALLS_MAX) else {
                fetched.troubles.push(Trouble::new(Reason::Incomplete, missing.len()));
                break;
            };
            path = next;
        }
        fetched.calls = calls.into_inner();
        fetched
    }
}

/// The target of a link to the next page (RFC 8288). Targets may have commas in them.
fn next_link(headers: &HeaderMap) -> Option<String> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    links.flat_map(|value| value.split('<').skip(1)).find_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let mut parameters = parameters.split([';', ',']).map(str::trim);
        parameters
            .any(|parameter| matches!(parameter, "rel=\"next\"" | "rel=next"))
            .then(|| target.to_owned())
    })
}
