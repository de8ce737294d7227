//! The mesh's way to services: its calls count against a service's limits like those from
//! outside, so that a join is no way around them.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use buildly_gateway::traffic::limits::{Limits, Quotas};
use buildly_gateway_http::Client;
use buildly_model::{Body, CallError, Clock, ServiceCall, ServiceClient};
use http::Response;

use crate::snapshot::Hot;

/// Calls services for the mesh.
pub(crate) struct JoinedCalls {
    pub(crate) hot: Arc<Hot>,
    pub(crate) client: Client,
    pub(crate) limits: Arc<Limits>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The client's address as far as it is believed, in the extensions of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

#[async_trait]
impl ServiceClient for JoinedCalls {
    async fn call(&self, call: ServiceCall) -> Result<Response<Body>, CallError> {
        let snapshot = self.hot.load();
        if let Some(registered) = snapshot.gateway.find(call.service) {
            let service = &registered.service;
            let quotas = Quotas::from(&service.policy.rate_limits);
            let address = call.request.extensions().get::<ClientAddress>().map(|address| address.0);
            let now = self.clock.now();
            let counted = self.limits.admit_to_service(service.id, &quotas, &call.principal, address, now);
            if let Some((_, wait)) = counted.refused() {
                let retry_after_seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).max(1);
                return Err(CallError::Busy { service: service.name.to_string(), retry_after_seconds });
            }
        }
        drop(snapshot);
        self.client.call(call).await
    }
}
