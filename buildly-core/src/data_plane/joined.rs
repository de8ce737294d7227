//! A request with `?join`: what it needs is learned, then the mesh begins, the service is
//! called, the mesh finishes.

use std::time::Duration;

use buildly_gateway::Route;
use buildly_gateway::traffic::correlation::{X_CORRELATION_ID, X_REQUEST_ID};
use buildly_gateway::traffic::forwarded::{FORWARDED, Peer};
use buildly_mesh::{Along, Asked, GatherError, Gathered};
use buildly_model::{Body, Principal, ServiceCall, ServiceId};
use http::request::Parts;
use http::{HeaderName, Method, Request, Response, StatusCode};

use super::joined_calls::ClientAddress;
use super::refusal::Refusal;
use super::{DataPlane, permit};
use crate::snapshot::Snapshot;

/// The most bytes of a request that writes with `?join`; others stream.
const JOINED_REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long such a request may take to arrive.
const JOINED_REQUEST_TIME: Duration = Duration::from_secs(30);
/// How long the answer to a joined request may take from then on: all its calls, and reading
/// what they bring, until the first byte goes out.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long a join waits for documents of services that are not known yet.
const DOCUMENTS_PATIENCE: Duration = Duration::from_secs(2);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The headers that every service of a join gets.
const ALONG: [HeaderName; 8] = [
    X_REQUEST_ID,
    X_CORRELATION_ID,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-host"),
];

impl DataPlane {
    pub(super) async fn call_joined(
        &self,
        call: ServiceCall,
        route: Route,
    ) -> Result<Response<Body>, Refusal> {
        let (name, path) = (route.service.service.name.as_str(), route.path_and_query.path());
        let snapshot = self.hot.load();
        let writes = matches!(*call.request.method(), Method::POST | Method::PUT | Method::PATCH);
        if writes && !snapshot.mesh.has_joins(name, path) {
            return Ok(self.services.call(call).await?);
        }
        let ServiceCall { service, request, principal, authorization, .. } = call;
        let (head, body) = request.into_parts();
        let (body, content) = if writes {
            let content = self.gather(body, &principal).await?;
            // Rights may have gone while the body came.
            self.permit_again(&principal, service, &head.method)?;
            (Body::from(content.bytes.clone()), Some(content))
        } else {
            (body, None)
        };
        let deadline = Some(self.clock.now().after(DEADLINE));
        self.learn_joined(&snapshot, name, path).await;
        let asked = Asked {
            principal: principal.clone(),
            authorization: authorization.clone(),
            service: name.to_owned(),
            path: path.to_owned(),
            method: head.method.clone(),
            body: content.as_ref().map(|content| content.bytes.clone()),
            along: along(&head),
            deadline,
        };
        let joining = self.mesh.begin_join(asked).await?;
        let mut request = Request::from_parts(head, body);
        if let Some(joining) = &joining {
            joining.prepare(request.headers_mut());
        }
        let answer =
            self.services.call(ServiceCall { service, request, principal, authorization, deadline }).await?;
        match joining {
            Some(joining) => Ok(joining.finish(answer).await?),
            None => Ok(answer),
        }
    }

    async fn gather(&self, body: Body, principal: &Principal) -> Result<Gathered, Refusal> {
        let gathered = self.mesh.gather(principal, body, JOINED_REQUEST_BYTES_MAX, JOINED_REQUEST_TIME).await;
        gathered.map_err(unreadable_body)
    }

    fn permit_again(
        &self,
        principal: &Principal,
        service: ServiceId,
        method: &Method,
    ) -> Result<(), Refusal> {
        self.freshness.require()?;
        let snapshot = self.hot.load();
        if principal.session.is_some_and(|session| snapshot.auth.token.is_revoked(session)) {
            return Err(Refusal::unauthenticated("Your session has ended."));
        }
        permit(&snapshot, principal, method, service)
    }

    /// How joined services are called is in their documents; those that this join needs and that
    /// are not known yet are fetched. What cannot be had is named as a fault by the join itself.
    async fn learn_joined(&self, snapshot: &Snapshot, service: &str, path: &str) {
        let joined = snapshot.mesh.joined_services(service, path);
        let registered = joined.filter_map(|name| snapshot.gateway.find_by_name(name));
        let mut unknown: Vec<ServiceId> = registered
            .filter(|registered| registered.api(None).is_none())
            .map(|registered| registered.service.id)
            .collect();
        if unknown.is_empty() {
            return;
        }
        unknown.sort_unstable();
        unknown.dedup();
        self.gateway.learn_specifications(&unknown, DOCUMENTS_PATIENCE).await;
    }
}

/// What the services of a join see of the request too: its name, its trace, where it came from.
fn along(head: &Parts) -> Along {
    let mut along = Along { idempotency_key: head.headers.get(IDEMPOTENCY_KEY).cloned(), ..Along::default() };
    for name in &ALONG {
        along.headers.extend(head.headers.get(name).map(|value| (name.clone(), value.clone())));
    }
    if let Some(peer) = head.extensions.get::<Peer>() {
        along.extensions.insert(*peer);
    }
    if let Some(address) = head.extensions.get::<ClientAddress>() {
        along.extensions.insert(*address);
    }
    along
}

fn unreadable_body(error: GatherError) -> Refusal {
    match error {
        GatherError::TooLarge { bytes_max } => {
            let detail = format!("The body of a request with `?join` may have {bytes_max} bytes.");
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        }
        GatherError::NoRoom => {
            let detail = "Too much is being joined at present; try again in a moment.";
            let wait = Some(Duration::from_secs(1));
            Refusal { retry_after: wait, ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
        }
        GatherError::TimedOut => {
            let seconds = JOINED_REQUEST_TIME.as_secs();
            let detail = format!("The body of a request with `?join` must arrive within {seconds} s.");
            Refusal::new(StatusCode::REQUEST_TIMEOUT, detail)
        }
        _ => Refusal::new(StatusCode::BAD_REQUEST, "The body of the request broke off."),
    }
}
