//! The way of one request through the gateway: who, where to, how often, may it, and then
//! the call, joined if the caller asks for it.
//!
//! Everything up to the call is decided on one snapshot, without I/O.

mod joined;
mod joined_calls;
mod refusal;

use std::net::IpAddr;
use std::sync::Arc;

use buildly_auth::{Auth, Decision, Resource};
use buildly_gateway::traffic::cors;
use buildly_gateway::traffic::forwarded::{Peer, Trust};
use buildly_gateway::traffic::limits::{Limits, Outcome, Quotas};
use buildly_gateway::traffic::{correlation::CorrelationId, framing};
use buildly_gateway::{Gateway, RateLimits, Route, Service, Target};
use buildly_mesh::Mesh;
use buildly_model::{Action, Body, Clock, Principal, Random, ServiceCall, ServiceClient, ServiceId};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

use crate::freshness::Freshness;
use crate::snapshot::{Hot, Snapshot};
use joined_calls::ClientAddress;
use refusal::Refusal;

pub(crate) use joined_calls::JoinedCalls;

/// Where scripts may put an API key instead of `Authorization`.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What the data plane works with.
pub(crate) struct DataPlane {
    pub(crate) hot: Arc<Hot>,
    pub(crate) freshness: Arc<Freshness>,
    pub(crate) auth: Auth,
    pub(crate) gateway: Gateway,
    pub(crate) mesh: Mesh,
    pub(crate) services: Arc<dyn ServiceClient>,
    pub(crate) limits: Arc<Limits>,
    /// What counts until somebody sets others.
    pub(crate) rate_limits: RateLimits,
    pub(crate) cors: cors::Policy,
    pub(crate) trust: Trust,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl DataPlane {
    /// Answers any request, also one that goes nowhere.
    pub(crate) async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let correlation =
            CorrelationId::of_request(request.headers(), self.clock.now(), self.random.as_ref());
        correlation.write(request.headers_mut());
        let cors = cors::decide(&self.cors, request.method(), request.headers());
        let mut counted = Outcome::default();
        let answered = match &cors {
            cors::Decision::Preflight(_) => Ok(Response::new(Body::empty())),
            cors::Decision::Refused { is_preflight: true } => {
                Err(Refusal::new(StatusCode::FORBIDDEN, "Pages of this origin may not call this API."))
            }
            _ => self.pass(request, &mut counted).await,
        };
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        cors.write(response.headers_mut());
        counted.write(response.headers_mut());
        correlation.write(response.headers_mut());
        response
    }

    async fn pass(
        &self,
        mut request: Request<Body>,
        counted: &mut Outcome,
    ) -> Result<Response<Body>, Refusal> {
        self.freshness.require()?;
        framing::check(request.version(), request.uri(), request.headers())
            .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string()))?;
        let address = self.client_address(&mut request);
        let principal = self.principal(request.headers()).await;
        let snapshot = self.hot.load();
        let caller = principal.as_ref().unwrap_or(&Principal::ANONYMOUS);
        self.count(&snapshot, caller, address, counted)?;
        // The joint document is public, so whether there is such a service is no secret.
        let uri = request.uri().clone();
        let target = Target::find(&snapshot.gateway, &uri)?;
        let principal = principal?;
        permit(&snapshot, &principal, request.method(), target.service.service.id)?;
        self.count_to_service(&target.service.service, &principal, address, counted)?;
        let route = self.gateway.route(&target, request.method()).await?;
        self.call(request, principal, route).await
    }

    /// Who is asking, from an access token or an API key.
    async fn principal(&self, headers: &HeaderMap) -> Result<Principal, Refusal> {
        Ok(self.auth.authenticate(presented(headers)?).await?)
    }

    /// What travels to services of ours: the caller's token, or one in place of an API key.
    async fn forwarded(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
        let Some(token) = self.auth.token_for_services(presented(headers)?).await? else {
            return Ok(headers.get(AUTHORIZATION).cloned());
        };
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok();
        value.iter_mut().for_each(|value| value.set_sensitive(true));
        Ok(value)
    }

    /// The client's address as far as it is believed, and the request's headers made to say so.
    fn client_address(&self, request: &mut Request<Body>) -> Option<IpAddr> {
        let peer = *request.extensions().get::<Peer>()?;
        let client = self.trust.client(&peer, request.headers());
        client.write(request.headers_mut());
        request.extensions_mut().insert(ClientAddress(client.address));
        Some(client.address)
    }

    fn count(
        &self,
        snapshot: &Snapshot,
        principal: &Principal,
        address: Option<IpAddr>,
        counted: &mut Outcome,
    ) -> Result<(), Refusal> {
        let quotas = Quotas::from(snapshot.gateway.find_rate_limits().unwrap_or(&self.rate_limits));
        *counted = self.limits.admit(&quotas, principal, address, self.clock.now());
        refuse_excess(counted)
    }

    fn count_to_service(
        &self,
        service: &Service,
        principal: &Principal,
        address: Option<IpAddr>,
        counted: &mut Outcome,
    ) -> Result<(), Refusal> {
        let quotas = Quotas::from(&service.policy.rate_limits);
        let now = self.clock.now();
        let to_service = self.limits.admit_to_service(service.id, &quotas, principal, address, now);
        *counted = counted.and(to_service);
        refuse_excess(counted)
    }

    async fn call(
        &self,
        mut request: Request<Body>,
        principal: Principal,
        route: Route,
    ) -> Result<Response<Body>, Refusal> {
        *request.uri_mut() = Uri::from(route.path_and_query.clone());
        if let Some(version) = route.version.clone() {
            request.extensions_mut().insert(version);
        }
        let authorization = self.forwarded(request.headers()).await?;
        // A key of this deployment is nobody else's business, whatever travels to the service.
        request.headers_mut().remove(API_KEY);
        let service = route.service.service.id;
        let call = ServiceCall { service, request, principal, authorization, deadline: None };
        if asks_for_join(call.request.uri()) {
            return self.call_joined(call, route).await;
        }
        Ok(self.services.call(call).await?)
    }
}

fn refuse_excess(counted: &Outcome) -> Result<(), Refusal> {
    let Some((quota, wait)) = counted.refused() else { return Ok(()) };
    let detail = format!("Too many requests for this {quota}; try again in {} s.", wait.as_secs().max(1));
    Err(Refusal { retry_after: Some(wait), ..Refusal::new(StatusCode::TOO_MANY_REQUESTS, detail) })
}

/// Whether the principal may do this to the service; the rule that decided goes into the answer.
fn permit(
    snapshot: &Snapshot,
    principal: &Principal,
    method: &Method,
    service: ServiceId,
) -> Result<(), Refusal> {
    let action = Action::of_method(method).ok_or_else(|| {
        Refusal::new(StatusCode::METHOD_NOT_ALLOWED, format!("Method \"{method}\" not allowed."))
    })?;
    match snapshot.auth.check(principal, action, Resource::Service(service)) {
        Decision::Allow(_) => Ok(()),
        Decision::Deny(reason) => Err(Refusal::forbidden(reason)),
    }
}

/// The access token or API key that a request shows.
fn presented(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let token = match values.next() {
        Some(value) => value.to_str().ok().and_then(token_of).filter(|_| values.next().is_none()),
        None => {
            let absent = "Authentication credentials were not provided.";
            let key = headers.get(API_KEY).ok_or_else(|| Refusal::unauthenticated(absent))?;
            key.to_str().ok()
        }
    };
    let unreadable = "The `Authorization` header cannot be read; send `Bearer` and an access token.";
    token.ok_or_else(|| Refusal::unauthenticated(unreadable))
}

/// The token in `Bearer …`, `JWT …` or `Api-Key …`.
fn token_of(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let is_known = ["bearer", "jwt", "api-key"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    Some(token.trim()).filter(|token| is_known && !token.is_empty())
}

/// `?join`, with or without a value, anywhere in the query.
fn asks_for_join(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "join" || pair.starts_with("join=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_the_known_schemes_only() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("JWT abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Api-Key k", Some("k")),
            ("Basic abc", None),
            ("Bearer ", None),
            ("abc", None),
        ] {
            assert_eq!(token_of(value), expected, "{value}");
        }
    }

    #[test]
    fn join_is_asked_for_by_its_whole_name() {
        for (uri, expected) in [
            ("/a/?join", true),
            ("/a/?page=1&join=true", true),
            ("/a/?joined=1", false),
            ("/a/?x=join", false),
            ("/a/", false),
        ] {
            assert_eq!(asks_for_join(&uri.parse().unwrap()), expected, "{uri}");
        }
    }
}
