//! Services in a snapshot, a client that follows it, and calls.

use std::sync::Arc;

use async_trait::async_trait;
use buildly_gateway::{
    BaseUrl, Credential, Instance, InstanceState, RateLimits, Service, ServiceName, Snapshot, Specification,
    Store, Version,
};
use buildly_gateway_http::{Client, MachineSecrets, Options};
use buildly_model::system::System;
use buildly_model::{
    Body, CallError, InstanceId, Principal, ServiceCall, ServiceClient as _, ServiceId, StoreError, Timestamp,
};
use http::{Request, Response};

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

pub(crate) fn service(base_urls: &[String]) -> Service {
    Service {
        id: ServiceId::generate(now(), &System),
        number: 1,
        name: ServiceName::parse("crm").unwrap(),
        title: "CRM".to_owned(),
        description: None,
        docs_endpoint: None,
        credential: Credential::Forward,
        policy: buildly_gateway::Policy::default(),
        instances: base_urls.iter().map(|url| instance(url)).collect(),
        specifications: Vec::new(),
        created_at: now(),
        updated_at: now(),
        version: 1,
    }
}

pub(crate) fn instance(base_url: &str) -> Instance {
    Instance {
        id: InstanceId::generate(now(), &System),
        base_url: BaseUrl::parse(base_url).unwrap(),
        weight: 1,
        zone: None,
        version: None,
        state: InstanceState::Active,
    }
}

struct Stored(Vec<Service>);

#[async_trait]
impl Store for Stored {
    async fn services(&self) -> Result<Vec<Service>, StoreError> {
        Ok(self.0.clone())
    }

    async fn find_service(&self, service: ServiceId) -> Result<Option<Service>, StoreError> {
        Ok(self.0.iter().find(|stored| stored.id == service).cloned())
    }

    async fn find_specification(
        &self,
        _service: ServiceId,
        _version: Option<&Version>,
    ) -> Result<Option<Specification>, StoreError> {
        Ok(None)
    }

    async fn find_rate_limits(&self) -> Result<Option<RateLimits>, StoreError> {
        Ok(None)
    }
}

pub(crate) async fn snapshot(services: &[&Service]) -> Snapshot {
    let stored: Arc<dyn Store> =
        Arc::new(Stored(services.iter().map(|service| (*service).clone()).collect()));
    Snapshot::load(&stored).await.unwrap()
}

pub(crate) fn options() -> Options {
    Options {
        clock: Arc::new(System),
        secrets: Arc::new(MachineSecrets::new(std::env::temp_dir())),
        trust: Default::default(),
        extra_roots: Vec::new(),
    }
}

pub(crate) async fn client_of(services: &[&Service]) -> Client {
    let client = Client::new(options()).unwrap();
    client.follow(&snapshot(services).await);
    client
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) fn call_of(service: &Service, request: Request<Body>) -> ServiceCall {
    ServiceCall {
        service: service.id,
        request,
        principal: Principal::ANONYMOUS,
        authorization: None,
        deadline: None,
    }
}

pub(crate) async fn call(
    client: &Client,
    service: &Service,
    request: Request<Body>,
) -> Result<Response<Body>, CallError> {
    client.call(call_of(service, request)).await
}

/// Status and text of the answer.
pub(crate) async fn ask(client: &Client, service: &Service, request: Request<Body>) -> (u16, String) {
    let answer = call(client, service, request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect(1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}
