//! A request with `?join`: what it needs is learned, then the mesh begins, the service is
//! called, the mesh finishes.

use std::time::Duration;

use buildly_gateway::Route;
use buildly_mesh::Asked;
use buildly_model::{Body, ServiceCall, ServiceId};
use http::{Method, Request, Response, StatusCode};

use super::DataPlane;
use super::refusal::Refusal;
use crate::snapshot::Snapshot;

/// The most bytes of a request that writes with `?join`; others stream.
const JOINED_REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a join waits for documents of services that are not known yet.
const DOCUMENTS_PATIENCE: Duration = Duration::from_secs(2);

impl DataPlane {
    pub(super) async fn call_joined(&self, call: ServiceCall, route: Route) -> Result<Response<Body>, Refusal> {
        let name = route.service.service.name.as_str();
        self.learn_joined(&self.hot.load(), name, route.path_and_query.path()).await;
        let ServiceCall { service, request, principal, authorization, deadline } = call;
        let (head, body) = request.into_parts();
        let has_content = matches!(head.method, Method::POST | Method::PUT | Method::PATCH);
        let (body, content) = if has_content {
            let content = body.collect(JOINED_REQUEST_BYTES_MAX).await.map_err(unreadable_body)?;
            (Body::from(content.clone()), Some(content))
        } else {
            (body, None)
        };
        let asked = Asked {
            principal: principal.clone(),
            authorization: authorization.clone(),
            service: route.service.service.name.as_str().to_owned(),
            path: route.path_and_query.path().to_owned(),
            method: head.method.clone(),
            body: content,
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

fn unreadable_body(error: buildly_model::BodyError) -> Refusal {
    if error.is::<buildly_model::TooLong>() {
        let detail = format!("The body of a request with `?join` may have {JOINED_REQUEST_BYTES_MAX} bytes.");
        return Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, detail);
    }
    Refusal::new(StatusCode::BAD_REQUEST, "The body of the request broke off.")
}
