use crate::gateway::world::{SPECIFICATION, World, registration, root};
use crate::{InstanceSpec, Routing};
use proptest::prelude::*;

use super::*;

/// A deployment with `products` (also in version `v2`), `documents` and, without a document, `bare`.
async fn snapshot() -> Arc<Snapshot> {
    let world = World::default();
    let gateway = world.gateway();
    world.serve("http://a:1/docs/swagger.json", 200, SPECIFICATION);
    let v2 = r#"{"openapi": "3.1.0", "servers": [{"url": "/api/v2"}], "paths": {"/items": {"get": {}}}}"#;
    world.serve("http://a:2/docs/swagger.json", 200, v2);
    let products = gateway.register(&root(), registration("products", "http://a:1")).await.unwrap();
    let second = InstanceSpec {
        base_url: Some("http://a:2".to_owned()),
        version: Some(Version::parse("v2")),
        ..InstanceSpec::default()
    };
    gateway.add_instance(&root(), products.id, &second).await.unwrap();
    gateway.refresh_specification(&root(), products.id, None).await.unwrap();
    gateway.refresh_specification(&root(), products.id, Version::parse("v2").as_ref()).await.unwrap();
    gateway.register(&root(), registration("bare", "http://b:1")).await.unwrap();
    gateway.snapshot()
}

fn routed(snapshot: &Snapshot, method: &Method, uri: &str) -> Result<String, String> {
    let uri: Uri = uri.parse().unwrap();
    let target = Target::find(snapshot, &uri).map_err(|error| error.to_string())?;
    match target.route(method).map_err(|error| error.to_string())? {
        Routing::To(route) => {
            let instance = route.service.service.candidates(route.version.as_ref()).next().unwrap();
            Ok(format!("{}{}", route.service.upstream(instance), route.path_and_query))
        }
        Routing::DocumentNeeded => Ok("document needed".to_owned()),
    }
}

#[tokio::test]
async fn a_request_goes_where_its_path_says_with_its_bytes_as_they_came() {
    let snapshot = snapshot().await;
    for (uri, expected) in [
        ("/products/product/", "http://a:1/product/"),
        ("/products/product", "http://a:1/product/"),
        ("/async/products/product/", "http://a:1/product/"),
        ("/products/product/1/", "http://a:1/product/1/"),
        ("/products/product/a%2Fb%20c/", "http://a:1/product/a%2Fb%20c/"),
        ("/products/product/?page=1&name=a%20b&name=c&&x", "http://a:1/product/?page=1&name=a%20b&name=c&&x"),
        ("/product%73/product/", "http://a:1/product/"),
        ("http://gateway.example/products/product/7", "http://a:1/product/7/"),
        ("/v2/products/items", "http://a:2/api/v2/items"),
        ("/async/v2/products/items/?ids=1,2", "http://a:2/api/v2/items?ids=1,2"),
        ("/bare/anything/", "document needed"),
    ] {
        assert_eq!(routed(&snapshot, &Method::GET, uri).as_deref(), Ok(expected), "{uri}");
    }
}

#[tokio::test]
async fn what_leads_nowhere_is_refused_in_the_contracts_words() {
    let snapshot = snapshot().await;
    let uuid = "d0000000-0000-4000-8000-000000000001";
    for (method, uri, expected) in [
        (Method::GET, "/nowhere/product/", "Service \"nowhere\" not found.".to_owned()),
        (Method::GET, "/", "Service \"\" not found.".to_owned()),
        (Method::GET, "/Products/product/", "Service \"Products\" not found.".to_owned()),
        (Method::GET, "/v3/products/items", "Service \"v3/products\" not found.".to_owned()),
        (Method::GET, "/products/nowhere/", "Endpoint not found: GET /nowhere/".to_owned()),
        (Method::GET, "/products/nowhere/1/", "Endpoint not found: GET /nowhere/{nowhere_id}/".to_owned()),
        (
            Method::GET,
            &format!("/products/nowhere/{uuid}/"),
            "Endpoint not found: GET /nowhere/{nowhere_uuid}/".to_owned(),
        ),
        (Method::POST, "/products/product/1/", "Endpoint not found: POST /product/{product_id}/".to_owned()),
        (Method::GET, "/products/product/1/more/", "Endpoint not found: GET /product/1/more/".to_owned()),
        (Method::GET, "/products", "Endpoint not found: GET /".to_owned()),
        (Method::GET, "/v2/products/product/", "Endpoint not found: GET /product/".to_owned()),
        (Method::PUT, "/products/product/", "The object ID is missing.".to_owned()),
        (Method::PATCH, "/products/nowhere/", "The object ID is missing.".to_owned()),
        (Method::DELETE, "/products/product", "The object ID is missing.".to_owned()),
        (
            Method::DELETE,
            "/products/product/1",
            "Endpoint not found: DELETE /product/{product_id}/".to_owned(),
        ),
    ] {
        assert_eq!(routed(&snapshot, &method, uri), Err(expected), "{method} {uri}");
    }
}

#[tokio::test]
async fn a_path_cannot_leave_its_service() {
    let snapshot = snapshot().await;
    for uri in
        ["/products/../bare/", "/products/product/%2e%2e/", "/%2e%2e/products/product/", "/products/..%2f/"]
    {
        let refused = routed(&snapshot, &Method::GET, uri).unwrap_err();
        assert!(refused.starts_with("the path is not valid"), "{uri}: {refused}");
    }
}

proptest! {
    #[test]
    fn whatever_the_path_the_answer_stays_below_the_service(path in "[/a-c.%2eEfF\\\\:@;=&?product]{0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let snapshot = runtime.block_on(snapshot());
        let uri = format!("/products{path}");
        if uri.parse::<Uri>().is_ok()
            && let Ok(upstream) = routed(&snapshot, &Method::GET, &uri)
        {
            prop_assert!(upstream.starts_with("http://a:1/product/"), "{} went to {}", uri, upstream);
            prop_assert!(!upstream.split(['/', '?']).any(|part| part == ".."), "{} went to {}", uri, upstream);
        }
    }
}
