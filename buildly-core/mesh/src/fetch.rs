//! Fetches records by their keys: chunk by chunk, each read to its end.

mod list;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use buildly_model::{Body, Principal, ServiceCall, ServiceId, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method as HttpMethod, StatusCode, header};
use tokio::time::timeout;

use crate::document::{Document, Expected, Wanted, rewrite};
use crate::fault::{Reason, detail_of};
use crate::gather::{Gathered, Held, Memory};
use crate::plan::{Fetch, Method, encoded};
use crate::{Along, DetailPath, Key, Parts, bounded};

/// The most bytes of one answer of a joined service.
pub(crate) const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many of the core's own records are read in one go.
const LOCAL_KEYS_MAX: usize = 50;
/// How many calls of one fetch run at once.
const CALLS_AT_ONCE_MAX: usize = 8;

const IDEMPOTENCY_KEY: http::HeaderName = http::HeaderName::from_static("idempotency-key");

/// On whose behalf calls are made, and until when.
pub(crate) struct Caller<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) memory: &'a Memory,
    pub(crate) principal: &'a Principal,
    pub(crate) authorization: Option<&'a HeaderValue>,
    pub(crate) along: &'a Along,
    pub(crate) deadline: Timestamp,
}

/// What a call sends.
pub(crate) struct Content {
    pub(crate) body: Bytes,
    pub(crate) idempotency_key: Option<HeaderValue>,
}

/// What a fetch brought.
#[derive(Default)]
pub(crate) struct Fetched {
    pub(crate) records: HashMap<Key, Bytes>,
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) calls: u32,
    /// The memory that the records take: they are parts of the answers they came in.
    pub(crate) held: Vec<Held>,
}

/// Something that kept records away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) reason: Reason,
    pub(crate) records: usize,
    pub(crate) detail: Option<String>,
}

impl Trouble {
    pub(crate) const fn new(reason: Reason, records: usize) -> Self {
        Self { reason, records, detail: None }
    }

    fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// A service's answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) held: Held,
}

impl Answer {
    pub(crate) fn trouble(&self, records: usize) -> Trouble {
        let detail = detail_of(&self.body);
        Trouble { reason: Reason::Status(self.status.as_u16()), records, detail }
    }
}

impl Caller<'_> {
    /// Fetches the records with these keys; those that are not there are simply not in it.
    pub(crate) async fn fetch(&self, fetch: &Fetch, keys: &[Key]) -> Fetched {
        match (&fetch.method, fetch.service) {
            (Method::Local, _) => self.fetch_local(fetch, keys).await,
            (Method::IdList { path, parameter }, Some(service)) => {
                let rest_bytes = path.len() + parameter.len() + 2;
                let chunks = fetch.chunk.cut(keys, rest_bytes);
                let calls = chunks.into_iter().map(|keys| {
                    let question = list::Question { service, fetch, path, parameter: Some(parameter) };
                    self.fetch_list(question, keys)
                });
                merge(bounded::run(calls.collect(), CALLS_AT_ONCE_MAX).await)
            }
            (Method::List { path }, Some(service)) => {
                self.fetch_list(list::Question { service, fetch, path, parameter: None }, keys).await
            }
            (Method::One(path), Some(service)) => {
                let calls = keys.iter().map(|key| self.fetch_one(service, fetch, path, key));
                merge(bounded::run(calls.collect(), CALLS_AT_ONCE_MAX).await)
            }
            (Method::IdList { .. } | Method::List { .. } | Method::One(_), None) => Fetched {
                troubles: vec![Trouble::new(Reason::UnknownService, keys.len())],
                ..Fetched::default()
            },
        }
    }

    /// Some records at a time; what was read before the deadline is there.
    async fn fetch_local(&self, fetch: &Fetch, keys: &[Key]) -> Fetched {
        let portion = keys.len().div_ceil(CALLS_AT_ONCE_MAX).clamp(1, LOCAL_KEYS_MAX);
        let reads = keys.chunks(portion).map(|keys| self.read_local(fetch, keys));
        merge(bounded::run(reads.collect(), CALLS_AT_ONCE_MAX).await)
    }

    async fn read_local(&self, fetch: &Fetch, keys: &[Key]) -> Fetched {
        let mut fetched = Fetched::default();
        let reading = self.parts.local.read(self.principal, &fetch.record_type, keys);
        let Ok(read) = timeout(self.left(), reading).await else {
            fetched.troubles.push(Trouble::new(Reason::DeadlineExceeded, keys.len()));
            return fetched;
        };
        match read {
            Ok(records) => {
                for record in records {
                    take(&mut fetched, record, Expected::Detail, fetch, &mut |key| keys.contains(key));
                }
            }
            Err(error) => {
                let reason = match error {
                    crate::LocalError::Unknown => Reason::UnknownPath,
                    crate::LocalError::Store(_) => Reason::Unreachable,
                };
                fetched.troubles.push(Trouble::new(reason, keys.len()).with_detail(error.to_string()));
            }
        }
        fetched
    }

    async fn fetch_one(&self, service: ServiceId, fetch: &Fetch, path: &DetailPath, key: &Key) -> Fetched {
        let mut fetched = Fetched::default();
        let calls = AtomicU32::new(0);
        let Some(path) = path.of_key(key) else {
            fetched.troubles.push(not_in_a_path(key));
            return fetched;
        };
        let answer = self.call(service, HttpMethod::GET, &path, None, &calls).await;
        fetched.calls = calls.into_inner();
        match answer {
            Err(trouble) => fetched.troubles.push(trouble),
            Ok(answer) if answer.status.is_success() => {
                fetched.held.push(answer.held);
                take(&mut fetched, answer.body, Expected::Detail, fetch, &mut |found| found == key);
            }
            Ok(answer) if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) => {}
            Ok(answer) => fetched.troubles.push(answer.trouble(1)),
        }
        fetched
    }

    fn left(&self) -> Duration {
        self.deadline.since(self.parts.clock.now())
    }

    /// Performs one call and reads its answer, all before the deadline.
    pub(crate) async fn call(
        &self,
        service: ServiceId,
        method: HttpMethod,
        path_and_query: &str,
        content: Option<Content>,
        calls: &AtomicU32,
    ) -> Result<Answer, Trouble> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(path_and_query)
            .header(header::ACCEPT, "application/json");
        if content.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let (body, idempotency_key) =
            content.map_or((Bytes::new(), None), |content| (content.body, content.idempotency_key));
        let mut request = request
            .body(Body::from(body))
            .map_err(|_| Trouble::new(Reason::UnknownPath, 1).with_detail("the path cannot be called"))?;
        // What is sent too late may still be done by the service, and nobody would learn of it.
        if self.left().is_zero() {
            return Err(Trouble::new(Reason::DeadlineExceeded, 1));
        }
        request.headers_mut().extend(self.along.headers.clone());
        request.headers_mut().extend(idempotency_key.map(|key| (IDEMPOTENCY_KEY, key)));
        *request.extensions_mut() = self.along.extensions.clone();
        calls.fetch_add(1, Ordering::Relaxed);
        let call = ServiceCall {
            service,
            request,
            principal: self.principal.clone(),
            authorization: self.authorization.cloned(),
            deadline: Some(self.deadline),
        };
        let answer = self.parts.client.call(call).await.map_err(|error| {
            tracing::debug!(%error, "a joined service did not answer");
            Trouble::new(Reason::from(&error), 1)
        })?;
        let (head, body) = answer.into_parts();
        let gathered = self.memory.gather(self.principal.identity, body, ANSWER_BYTES_MAX, self.left()).await;
        let Gathered { bytes, held } = gathered.map_err(|error| error.of_joined())?;
        Ok(Answer { status: head.status, headers: head.headers, body: bytes, held })
    }
}

impl DetailPath {
    /// The path of the record with this key; `None` if a service might read it as another path,
    /// because the key is, or hides, a `.` or `..` segment.
    pub(crate) fn of_key(&self, key: &Key) -> Option<String> {
        let key = key.to_string();
        let is_dots = |part: &str| matches!(part.split(';').next(), Some("." | ".."));
        let is_safe = !key.split(['/', '\\']).any(is_dots);
        is_safe.then(|| format!("{}{}{}", self.before, encoded(&key), self.after))
    }
}

/// What is said of a key that has no path.
pub(crate) fn not_in_a_path(key: &Key) -> Trouble {
    Trouble::new(Reason::UnknownPath, 1).with_detail(format!("the key `{key}` cannot stand in a path"))
}

/// What one answer brought.
struct Taken {
    next: crate::document::Next,
    /// How many of the records that were asked for came.
    records: usize,
    /// How many others came.
    unasked: usize,
}

/// Takes the records of an answer that `is_asked` for, each by its own key.
fn take(
    fetched: &mut Fetched,
    body: Bytes,
    expected: Expected,
    fetch: &Fetch,
    is_asked: &mut dyn FnMut(&Key) -> bool,
) -> Option<Taken> {
    let key_field = fetch.record_type.key_field.as_str();
    let wanted = Wanted { key_field, fields: &[], reserved: &[] };
    let unreadable = |detail: String| Trouble::new(Reason::Unreadable, 1).with_detail(detail);
    let document = match Document::scan(body, expected, &wanted) {
        Ok(Some(document)) => document,
        Ok(None) => {
            fetched.troubles.push(unreadable("expected records in JSON".to_owned()));
            return None;
        }
        Err(malformed) => {
            fetched.troubles.push(unreadable(malformed.to_string()));
            return None;
        }
    };
    let (mut records, mut keyless, mut unasked) = (0, 0, 0);
    for record in &document.records {
        match &record.key {
            None => keyless += 1,
            Some(key) if is_asked(key) => {
                let bytes = document.slice(record);
                let bytes =
                    if record.is_verbatim { bytes } else { rewrite(&bytes, &[]).unwrap_or_default().into() };
                fetched.records.insert(key.clone(), bytes);
                records += 1;
            }
            Some(_) => unasked += 1,
        }
    }
    if keyless > 0 {
        let detail = format!("records of `{}` have no field `{key_field}`", fetch.record_type.full_name());
        fetched.troubles.push(Trouble::new(Reason::KeyMissing, keyless).with_detail(detail));
    }
    if unasked > 0 {
        tracing::debug!(service = %fetch.record_type.service, unasked, "records came that nobody asked for");
    }
    Some(Taken { next: document.next(), records, unasked })
}

fn merge(parts: Vec<Fetched>) -> Fetched {
    let mut whole = Fetched::default();
    for part in parts {
        whole.records.extend(part.records);
        whole.troubles.extend(part.troubles);
        whole.calls += part.calls;
        whole.held.extend(part.held);
    }
    whole
}

/// Each key once, in the order of its first mention.
pub(crate) fn distinct<'a>(keys: impl Iterator<Item = &'a Key>) -> Vec<Key> {
    let mut seen = HashSet::new();
    keys.filter(|key| seen.insert(*key)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_would_lead_to_another_path_has_none() {
        let path = DetailPath::of_template("/product/{id}/").unwrap();
        for (key, expected) in [
            ("7", Some("/product/7/")),
            ("a b", Some("/product/a%20b/")),
            ("a..b", Some("/product/a..b/")),
            ("x/y", Some("/product/x%2Fy/")),
            (".", None),
            ("..", None),
            ("..;x=1", None),
            ("a/../b", None),
            ("..\\b", None),
        ] {
            assert_eq!(path.of_key(&Key::of_text(key)).as_deref(), expected, "{key}");
        }
    }
}
