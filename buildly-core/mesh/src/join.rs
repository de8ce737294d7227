//! Joins on a request through the gateway: first what is asked, then what the service answered.
//!
//! ```text
//! begin_join ──► the gateway calls the service ──► finish: read, write links, splice
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use buildly_model::{Action, Body, Principal, Timestamp};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::document::{Document, Expected, Layout, Wanted};
use crate::fault::{Fault, MESH_FIELD, MESH_HEADER, Reason, to_header};
use crate::fetch::Caller;
use crate::gather::{GatherError, Gathered, Held};
use crate::linking::{self, Wish};
use crate::mesh::require_signed_in;
use crate::plan::Plan;
use crate::read::fault;
use crate::room::{JOINED_OUTPUT_BYTES_MAX, fit};
use crate::splice::{Field, splice};
use crate::{Along, Error, Key, Mesh, RecordType, Shape};

/// How long a join may take, from its beginning to the last call, when nobody says.
pub(crate) const DEADLINE_DEFAULT: Duration = Duration::from_secs(30);
/// The most bytes of an answer that is joined.
pub const JOINED_ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A request through the gateway that asks for a join.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Who asks.
    pub principal: Principal,
    /// The `Authorization` that the caller came with.
    pub authorization: Option<HeaderValue>,
    /// The name of the service.
    pub service: String,
    /// The path below the service, as it came, such as `/product/1/`.
    pub path: String,
    /// The method.
    pub method: Method,
    /// The whole body, for methods that write.
    pub body: Option<Bytes>,
    /// What goes along with the calls to other services.
    pub along: Along,
    /// When the answer must be there; 30 s from the beginning when nobody says.
    pub deadline: Option<Timestamp>,
}

/// A join that has begun: permissions are checked, the plan is made.
pub struct Joining {
    pub(crate) mesh: Mesh,
    pub(crate) asked: Asked,
    pub(crate) record_type: RecordType,
    /// The key in the path, if it names one record.
    pub(crate) key: Option<Key>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) wishes: Vec<Wish>,
    /// The end of every call that the join makes, and of every answer that it reads.
    pub(crate) deadline: Timestamp,
}

/// What a join added to an answer.
#[derive(Default)]
pub(crate) struct Added {
    /// One list of records for each record of the answer, for each branch of the plan.
    pub(crate) lists: Vec<Vec<Vec<Bytes>>>,
    pub(crate) faults: Vec<Fault>,
    /// How many calls each service got.
    pub(crate) calls: BTreeMap<String, u32>,
    /// The memory that the records take.
    pub(crate) held: Vec<Held>,
}

impl Mesh {
    /// Reads the body of a request that is to be [joined](Asked::body): at most `bytes_max` bytes
    /// within `time`, as long as all joins together, and those of this caller, do not hold too
    /// much. Keep the answer until the join is finished.
    ///
    /// # Errors
    /// [`GatherError`] says which bound it went beyond.
    pub async fn gather(
        &self,
        principal: &Principal,
        body: Body,
        bytes_max: usize,
        time: Duration,
    ) -> Result<Gathered, GatherError> {
        self.memory.gather(principal.identity, body, bytes_max, time).await
    }

    /// Begins a join: finds the record type, checks what the caller may and makes the plan.
    /// `None` if there is nothing to join: the service's answer is the answer.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if records of another service are to be written that the caller may
    /// not write, and [`Error::Invalid`] if the body does not say clearly what to write. Nothing
    /// has been called or written then.
    pub async fn begin_join(&self, asked: Asked) -> Result<Option<Joining>, Error> {
        require_signed_in(&asked.principal)?;
        let view = self.parts.views.view(&asked.principal).await?;
        let Some(address) = view.catalog.address(&asked.service, &asked.path) else { return Ok(None) };
        let (record_type, key) = (address.record_type.clone(), address.key);
        let Some(action) = Action::of_method(&asked.method) else { return Ok(None) };
        let shape = Shape::all(&view.catalog, record_type.id);
        // Records without the field of their key are told even where nothing is linked yet.
        let has_nothing_to_do = shape.branches.is_empty() && action != Action::Read;
        if has_nothing_to_do || matches!(asked.method, Method::HEAD | Method::OPTIONS) {
            return Ok(None);
        }
        let wishes = match (action, &asked.body) {
            (Action::Create | Action::Update, Some(body)) => {
                linking::wishes(&view, &asked.principal, &shape, &asked.method, body)?
            }
            _ => Vec::new(),
        };
        let shape = match action {
            Action::Create | Action::Update => linking::written_shape(&view.catalog, shape, &wishes),
            Action::Read | Action::Delete => shape,
        };
        let plan = self.plans.plan(&shape, &view, &asked.principal);
        let deadline = self.deadline_of(&asked);
        Ok(Some(Joining { mesh: self.clone(), asked, record_type, key, plan, wishes, deadline }))
    }

    pub(crate) fn deadline_of(&self, asked: &Asked) -> Timestamp {
        asked.deadline.unwrap_or_else(|| self.parts.clock.now().after(DEADLINE_DEFAULT))
    }
}

impl Joining {
    /// Makes the head of the request to the service fit for a join: the answer must come whole,
    /// unencoded, and even if the record itself has not changed.
    pub fn prepare(&self, headers: &mut HeaderMap) {
        headers.remove(header::ACCEPT_ENCODING);
        if self.asked.method == Method::GET {
            for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::RANGE, header::IF_RANGE] {
                headers.remove(name);
            }
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Joins the service's answer. What is not 2xx or not JSON passes unchanged; faults of joined
    /// services are named in the answer and never fail it.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] if the records lack the field that should hold their key,
    /// [`Error::Unreadable`] if the answer says that it is JSON and is not, or is too large.
    pub async fn finish(self, answer: Response<Body>) -> Result<Response<Body>, Error> {
        Ok(self.finish_counting(answer).await?.0)
    }

    /// As [`Joining::finish`]; also says how many calls each joined service got, and the faults.
    pub(crate) async fn finish_counting(
        self,
        answer: Response<Body>,
    ) -> Result<(Response<Body>, BTreeMap<String, u32>, Vec<Fault>), Error> {
        let unchanged = |answer| Ok((answer, BTreeMap::new(), Vec::new()));
        if !answer.status().is_success() {
            return unchanged(answer);
        }
        if self.asked.method == Method::DELETE {
            let faults = self.unlink().await;
            let mut answer = answer;
            name_in_header(&mut answer, &faults);
            return Ok((answer, BTreeMap::new(), faults));
        }
        if answer.status() == StatusCode::NO_CONTENT || !is_plain_json(answer.headers()) {
            return self.finish_without_body(answer).await;
        }
        let (head, body) = answer.into_parts();
        let body = self.whole(body, JOINED_ANSWER_BYTES_MAX).await?;
        let Some(document) = self.scan(body.bytes.clone())? else {
            return unchanged(Response::from_parts(head, Body::from(body.bytes)));
        };
        let mut added = if self.asked.method == Method::GET {
            self.read(&document).await?
        } else {
            self.write(Some(&document)).await?
        };
        let _held = self.fit(&document, &mut added)?;
        let fields = self.fields(added.lists);
        let faults = crate::fault::merge(added.faults);
        let body = splice(&document, &fields, &faults);
        let mut answer = Response::from_parts(head, Body::from(body));
        for name in [header::CONTENT_LENGTH, header::ETAG, header::LAST_MODIFIED, header::ACCEPT_RANGES] {
            answer.headers_mut().remove(name);
        }
        if !matches!(document.layout, Layout::Record | Layout::Page { has_reserved: false, .. }) {
            name_in_header(&mut answer, &faults);
        }
        Ok((answer, added.calls, faults))
    }

    /// A write whose answer shows no record: what was asked is written all the same.
    async fn finish_without_body(
        self,
        mut answer: Response<Body>,
    ) -> Result<(Response<Body>, BTreeMap<String, u32>, Vec<Fault>), Error> {
        if self.wishes.is_empty() {
            return Ok((answer, BTreeMap::new(), Vec::new()));
        }
        let added = self.write(None).await?;
        let faults = crate::fault::merge(added.faults);
        name_in_header(&mut answer, &faults);
        Ok((answer, added.calls, faults))
    }

    fn scan(&self, body: Bytes) -> Result<Option<Document>, Error> {
        let fields: Vec<&str> =
            self.plan.branches.iter().filter_map(|branch| branch.foreign_key.as_deref()).collect();
        let reserved: Vec<&str> =
            self.plan.branches.iter().map(|branch| branch.key.as_str()).chain([MESH_FIELD]).collect();
        let wanted = Wanted { key_field: &self.record_type.key_field, fields: &fields, reserved: &reserved };
        let is_list = self.key.is_none() && self.asked.method == Method::GET;
        let expected = if is_list { Expected::List } else { Expected::Detail };
        Document::scan(body, expected, &wanted).map_err(|malformed| self.unreadable(&malformed))
    }

    /// The fields of the answer: branches with one key share a list.
    fn fields(&self, lists: Vec<Vec<Vec<Bytes>>>) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for (branch, lists) in self.plan.branches.iter().zip(lists) {
            match fields.iter_mut().find(|field| field.name == branch.key) {
                Some(field) => {
                    for (known, more) in field.lists.iter_mut().zip(lists) {
                        known.extend(more);
                    }
                }
                None => fields.push(Field { name: branch.key.clone(), lists }),
            }
        }
        fields
    }

    /// Leaves out what would make the answer too large, and takes the memory for it.
    fn fit(&self, document: &Document, added: &mut Added) -> Result<Held, Error> {
        let (branches, size) = (&self.plan.branches, document.bytes.len());
        let fitted = fit(branches, &mut added.lists, size, document.records.len(), JOINED_OUTPUT_BYTES_MAX);
        let (lacking, bytes) = fitted.ok_or_else(|| Error::Unreadable {
            service: self.asked.service.clone(),
            reason: format!(
                "with `?join` it would have more than {JOINED_OUTPUT_BYTES_MAX} bytes; ask for fewer records"
            ),
        })?;
        for (branch, lacks) in branches.iter().zip(lacking).filter(|(_, lacks)| *lacks > 0) {
            let detail = format!("a joined answer has at most {JOINED_OUTPUT_BYTES_MAX} bytes");
            let incomplete = fault(branch, Reason::Incomplete, lacks);
            added.faults.push(Fault { detail: Some(detail), ..incomplete });
        }
        let held = self.mesh.memory.hold(self.asked.principal.identity, bytes);
        held.ok_or_else(|| GatherError::NoRoom.of_answer(&self.asked.service))
    }

    /// Reads the service's answer, before the deadline.
    pub(crate) async fn whole(&self, body: Body, bytes_max: usize) -> Result<Gathered, Error> {
        let (memory, caller) = (&self.mesh.memory, self.asked.principal.identity);
        let left = self.deadline.since(self.mesh.parts.clock.now());
        let gathered = memory.gather(caller, body, bytes_max, left).await;
        gathered.map_err(|error| error.of_answer(&self.asked.service))
    }

    pub(crate) fn caller(&self) -> Caller<'_> {
        Caller {
            parts: &self.mesh.parts,
            memory: &self.mesh.memory,
            principal: &self.asked.principal,
            authorization: self.asked.authorization.as_ref(),
            along: &self.asked.along,
            deadline: self.deadline,
        }
    }

    fn unreadable(&self, reason: &dyn std::error::Error) -> Error {
        Error::Unreadable { service: self.asked.service.clone(), reason: reason.to_string() }
    }
}

fn name_in_header(answer: &mut Response<Body>, faults: &[Fault]) {
    if let Some(value) = to_header(faults) {
        answer.headers_mut().insert(MESH_HEADER, value);
    }
}

/// Whether the body is JSON that can be read as it comes.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase());
    let is_json = text(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind == "application/json" || kind.ends_with("+json")
    });
    is_json && text(header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity")
}

#[cfg(test)]
mod tests;
