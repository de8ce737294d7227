use std::sync::Arc;
use std::time::Duration;

use buildly_gateway::SpecificationSource as _;
use buildly_model::{Body, CallError};
use http::{Request, Response};

use crate::world::{ask, call, client_of, get, service};

#[tokio::test]
async fn a_service_in_the_same_process_needs_no_socket() {
    let service = service(&["http://crm.localhost/api".to_owned()]);
    let client = client_of(&[&service]).await;
    client.attach(
        "crm.localhost",
        Arc::new(|request: Request<Body>| async move {
            let seen = format!("{} {}", request.method(), request.uri());
            let body = request.into_body().collect(100).await?;
            Ok(Response::new(Body::from([seen.as_bytes(), b" ", &body].concat())))
        }),
    );
    let request = Request::post("/items/?a=1").body(Body::from("hello")).unwrap();
    assert_eq!(ask(&client, &service, request).await, (200, "POST /api/items/?a=1 hello".to_owned()));
    let document =
        client.fetch(&"http://crm.localhost/docs".parse().unwrap(), 100, Duration::from_secs(5)).await;
    assert_eq!(document.unwrap().body, "GET /docs ");
}

#[tokio::test]
async fn its_faults_are_those_of_any_service() {
    let mut service = service(&["http://crm.localhost".to_owned()]);
    service.policy.first_byte_timeout_ms = 50;
    let client = client_of(&[&service]).await;
    client.attach("crm.localhost", Arc::new(|_: Request<Body>| async { Err("broken".into()) }));
    assert!(matches!(call(&client, &service, get("/")).await, Err(CallError::BadAnswer { .. })));
    client.attach("crm.localhost", Arc::new(|_: Request<Body>| std::future::pending()));
    assert!(matches!(call(&client, &service, get("/")).await, Err(CallError::DeadlineExceeded { .. })));
}
