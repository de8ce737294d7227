//! Reading with a join from the library: `mesh.get(&principal, "crm/contacts").join("documents")`.

use std::collections::BTreeMap;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use buildly_model::{Action, Body, Principal, ServiceCall, Timestamp};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};

use crate::fault::Fault;
use crate::join::{Asked, DEADLINE_DEFAULT, Joining};
use crate::mesh::require_signed_in;
use crate::plan::Plan;
use crate::room::JOINED_OUTPUT_BYTES_MAX;
use crate::{Along, Error, Key, Mesh, RecordType, Shape, View};

/// A question to be awaited; nothing happens before.
#[must_use = "a question does nothing until it is awaited"]
pub struct Get {
    mesh: Mesh,
    principal: Principal,
    path: String,
    names: String,
    query: String,
    authorization: Option<HeaderValue>,
    deadline: Option<Timestamp>,
}

/// Records of a service with the records that are joined to them.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The service's status.
    pub status: StatusCode,
    /// The answer in JSON.
    pub body: Bytes,
    /// What could not be joined.
    pub faults: Vec<Fault>,
    /// What was fetched, and how.
    pub plan: Arc<Plan>,
    /// How many calls each service got, that of the records themselves included.
    pub calls: BTreeMap<String, u32>,
}

impl Mesh {
    /// Asks for records of a service: `service/list` or `service/list/key`, where the list is
    /// called by its path or by its model's name.
    pub fn get(&self, principal: &Principal, path: &str) -> Get {
        Get {
            mesh: self.clone(),
            principal: principal.clone(),
            path: path.to_owned(),
            names: String::new(),
            query: String::new(),
            authorization: None,
            deadline: None,
        }
    }
}

impl Get {
    /// Joins these relationships, comma-separated; see [`Shape::named`].
    pub fn join(mut self, names: &str) -> Self {
        if !self.names.is_empty() {
            self.names.push(',');
        }
        self.names.push_str(names);
        self
    }

    /// Sends this query with the question, such as `limit=20`.
    pub fn query(mut self, query: &str) -> Self {
        query.trim_start_matches('?').clone_into(&mut self.query);
        self
    }

    /// The `Authorization` of the caller, for services that get it forwarded.
    pub fn authorization(mut self, value: HeaderValue) -> Self {
        self.authorization = Some(value);
        self
    }

    /// When the answer must be there.
    pub const fn deadline(mut self, deadline: Timestamp) -> Self {
        self.deadline = Some(deadline);
        self
    }

    async fn ask(self) -> Result<Joined, Error> {
        require_signed_in(&self.principal)?;
        let mesh = self.mesh.clone();
        let view = mesh.parts.views.view(&self.principal).await?;
        let (record_type, key) = find(&view, &self.path)?;
        let shape = Shape::named(&view.catalog, record_type.id, &self.names)?;
        let deadline = self.deadline.unwrap_or_else(|| mesh.parts.clock.now().after(DEADLINE_DEFAULT));
        let (service, path) = self.primary(&view, &record_type, key.as_ref())?;
        let request = Request::builder()
            .method(Method::GET)
            .uri(&path)
            .header(header::ACCEPT, "application/json")
            .body(Body::empty())
            .map_err(|_| Error::field("query", "expected a query such as `limit=20`"))?;
        let plan = mesh.plans.plan(&shape, &view, &self.principal);
        let caller = self.principal.identity;
        let asked = Asked {
            principal: self.principal.clone(),
            authorization: self.authorization.clone(),
            service: record_type.service.clone(),
            path,
            method: Method::GET,
            body: None,
            along: Along::default(),
            deadline: Some(deadline),
        };
        let call = ServiceCall {
            service,
            request,
            principal: self.principal,
            authorization: self.authorization,
            deadline: Some(deadline),
        };
        let answer = mesh.parts.client.call(call).await?;
        let name = record_type.service.clone();
        let memory = (mesh.memory.clone(), Arc::clone(&mesh.parts.clock));
        let (plan_of_it, wishes) = (Arc::clone(&plan), Vec::new());
        let joining = Joining { mesh, asked, record_type, key, plan: plan_of_it, wishes, deadline };
        let (answer, mut calls, faults) = joining.finish_counting(answer).await?;
        *calls.entry(name.clone()).or_default() += 1;
        let status = answer.status();
        let left = deadline.since(memory.1.now());
        let gathered = memory.0.gather(caller, answer.into_body(), JOINED_OUTPUT_BYTES_MAX, left).await;
        let body = gathered.map_err(|error| error.of_answer(&name))?.bytes;
        Ok(Joined { status, body, faults, plan, calls })
    }

    /// Where the records themselves are asked for, if the caller may.
    fn primary(
        &self,
        view: &View,
        record_type: &RecordType,
        key: Option<&Key>,
    ) -> Result<(buildly_model::ServiceId, String), Error> {
        let name = &record_type.service;
        let unknown = |id: String| Error::NotFound { what: "service path", id };
        let service = view.services.find_service(name);
        let service = service.ok_or_else(|| Error::NotFound { what: "service", id: name.clone() })?;
        if !view.access.may(&self.principal, Action::Read, service) {
            return Err(Error::Forbidden { reason: format!("you may not read records of service `{name}`") });
        }
        let resource = view.services.find_resource(service, record_type.path(), &record_type.key_field);
        let path = resource.and_then(|resource| match key {
            Some(key) => resource.detail_path.and_then(|path| path.of_key(key)),
            None => resource.list_path,
        });
        let path = path.ok_or_else(|| unknown(format!("{name}{}", record_type.endpoint)))?;
        Ok((service, if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }))
    }
}

impl IntoFuture for Get {
    type Output = Result<Joined, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.ask())
    }
}

/// The record type that a path such as `crm/contacts` names, and the key behind it.
fn find(view: &View, path: &str) -> Result<(RecordType, Option<Key>), Error> {
    let unknown = || Error::NotFound { what: "record type", id: path.to_owned() };
    let (service, rest) = path.trim_matches('/').split_once('/').ok_or_else(unknown)?;
    let by_name = |name: &str| {
        view.catalog.find_by_path(service, name).or_else(|| {
            let mut types = view.catalog.record_types().iter();
            types.find(|one| one.service == service && one.model.eq_ignore_ascii_case(name))
        })
    };
    let rest = rest.trim_matches('/');
    if let Some(found) = by_name(rest) {
        return Ok((found.clone(), None));
    }
    let (list, key) = rest.rsplit_once('/').ok_or_else(unknown)?;
    let found = by_name(list).ok_or_else(unknown)?;
    Ok((found.clone(), Some(Key::of_text(key))))
}
