//! Calls that runs make, with the rights of the moment and a token made for each.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use buildly_auth::{Auth, Decision, Resource};
use buildly_gateway::Gateway;
use buildly_gateway::openapi::Operation;
use buildly_mesh::Mesh;
use buildly_model::{Action, Clock, Identity, Principal, ServiceCall, ServiceClient, ServiceId};
use buildly_workflow::{ActingAs, Fault, FaultKind, Leased, Outcome, Request, Services};
use http::HeaderValue;
use serde_json::Value;

use super::call::{build, find_operation, text};
use super::outcome::{of_answer, of_call_error, of_mesh_error, refused};
use crate::snapshot::{Hot, Snapshot};

/// The most bytes of an answer: a run keeps 4 MiB of values.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a call waits for the document of a service that is not known yet.
const DOCUMENT_PATIENCE: Duration = Duration::from_secs(2);

/// Performs the effects of runs.
pub(crate) struct Calls {
    pub(crate) hot: Arc<Hot>,
    pub(crate) auth: Auth,
    pub(crate) gateway: Gateway,
    pub(crate) mesh: Mesh,
    pub(crate) client: Arc<dyn ServiceClient>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Services for Calls {
    async fn perform(&self, leased: &Leased) -> Outcome {
        let Ok(request) = serde_json::from_str::<Request>(&leased.effect.request) else {
            return refused(FaultKind::Refused, "the stored request cannot be read by this release");
        };
        let performed = match &request.records {
            Some(records) => self.read(leased, records, &request).await,
            None => self.call(leased, &request).await,
        };
        performed.unwrap_or_else(|outcome| outcome)
    }
}

impl Calls {
    async fn call(&self, leased: &Leased, request: &Request) -> Result<Outcome, Outcome> {
        let (principal, snapshot) = self.acting(leased).await?;
        let name = request.operation.as_deref().unwrap_or_default();
        let (service, operation) = self.find(&snapshot, name).await.ok_or_else(|| {
            let message = format!("there is no operation `{name}` any more; register its service again");
            refused(FaultKind::Unavailable, message)
        })?;
        let action = Action::of_method(&operation.method)
            .ok_or_else(|| refused(FaultKind::Refused, "an operation of this method cannot be called"))?;
        if let Decision::Deny(reason) = snapshot.auth.check(&principal, action, Resource::Service(service)) {
            return Err(refused(FaultKind::Forbidden, reason.to_string()));
        }
        let built = build(&operation, request, &leased.effect.key)
            .map_err(|message| refused(FaultKind::Refused, message))?;
        let authorization = Some(self.token(&principal, leased).await?);
        let deadline = Some(self.clock.now().after(leased.effect.timeout));
        let call = ServiceCall { service, request: built, principal, authorization, deadline };
        let answer = self.client.call(call).await.map_err(|error| of_call_error(&error))?;
        let status = answer.status();
        let body = answer.into_body().collect(ANSWER_BYTES_MAX).await.map_err(|error| {
            let kind =
                if error.is::<buildly_model::TooLong>() { FaultKind::Limit } else { FaultKind::Unavailable };
            Outcome::Unknown(Fault::new(kind, format!("the answer cannot be kept: {error}")))
        })?;
        Ok(of_answer(status, &body))
    }

    async fn read(&self, leased: &Leased, records: &str, request: &Request) -> Result<Outcome, Outcome> {
        let (principal, _) = self.acting(leased).await?;
        let token = self.token(&principal, leased).await?;
        let Question { path, joins, query } = Question::of(records, &request.parameters);
        let get = self.mesh.get(&principal, &path).join(&joins).query(&query);
        let deadline = self.clock.now().after(leased.effect.timeout);
        let read = get.authorization(token).deadline(deadline).await;
        let joined = read.map_err(|error| of_mesh_error(&error))?;
        Ok(match of_answer(joined.status, &joined.body) {
            // A read that may have happened has done nothing.
            Outcome::Unknown(fault) => Outcome::Refused(fault),
            outcome => outcome,
        })
    }

    /// The operation of that name, whose document may have to be asked for first.
    async fn find(&self, snapshot: &Snapshot, name: &str) -> Option<(ServiceId, Arc<Operation>)> {
        let service = snapshot.gateway.find_by_name(name.split_once('.')?.0)?;
        if service.api(None).is_some() {
            return find_operation(&snapshot.gateway, name);
        }
        self.gateway.learn_specifications(&[service.service.id], DOCUMENT_PATIENCE).await;
        find_operation(&self.hot.load().gateway, name)
    }

    /// As whom the effect is performed, if that is still somebody.
    async fn acting(&self, leased: &Leased) -> Result<(Principal, Arc<Snapshot>), Outcome> {
        let nobody = Principal { organization: Some(leased.organization), ..Principal::ANONYMOUS };
        let snapshot = self
            .hot
            .for_principal(&nobody)
            .await
            .map_err(|error| refused(FaultKind::Unavailable, error.to_string()))?;
        let identity = match &leased.effect.acting {
            ActingAs::Starter(actor) | ActingAs::Completer(actor) => actor.parse().ok(),
            ActingAs::Account(name) => {
                let accounts = snapshot.auth.token.service_accounts(leased.organization);
                let mut named = accounts.into_iter().filter(|account| account.name == *name);
                named.next().map(|account| Identity::ServiceAccount(account.id))
            }
        };
        let principal = Principal { identity: identity.unwrap_or(Identity::Anonymous), ..nobody };
        let stands = snapshot.auth.check_standing(&principal, self.clock.now());
        if !principal.is_signed_in() || stands.is_err() {
            let who = match &leased.effect.acting {
                ActingAs::Starter(actor) | ActingAs::Completer(actor) => actor.clone(),
                ActingAs::Account(name) => format!("the service account `{name}`"),
            };
            let message = format!("{who}, as whom this level acts, is gone or switched off");
            return Err(refused(FaultKind::Forbidden, message));
        }
        Ok((principal, snapshot))
    }

    async fn token(&self, principal: &Principal, leased: &Leased) -> Result<HeaderValue, Outcome> {
        let token = self.auth.token_for_run(principal, leased.run).await.map_err(|error| {
            let kind = match error.kind() {
                buildly_model::ErrorKind::Unauthenticated => FaultKind::Forbidden,
                _ => FaultKind::Unavailable,
            };
            refused(kind, error.to_string())
        })?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| refused(FaultKind::Unavailable, "no token could be made for the call"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// What the mesh is asked.
struct Question {
    path: String,
    joins: String,
    query: String,
}

impl Question {
    /// `key` and `join` are the mesh's own; everything else is the service's query.
    fn of(records: &str, parameters: &serde_json::Map<String, Value>) -> Self {
        let (mut path, mut joins) = (records.replacen('.', "/", 1), String::new());
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters {
            let text = match value {
                Value::Null => continue,
                Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
                value => text(value),
            };
            match name.as_str() {
                "key" => path = format!("{path}/{text}"),
                "join" => joins = text,
                _ => drop(query.append_pair(name, &text)),
            }
        }
        Self { path, joins, query: query.finish() }
    }
}
