use super::super::world::{SPECIFICATION, World, registration, root};
use super::*;
use crate::Registration;

async fn routed(gateway: &Gateway, uri: &str) -> Result<Route, Error> {
    let uri: Uri = uri.parse().unwrap();
    let snapshot = gateway.snapshot();
    let target = Target::find(&snapshot, &uri)?;
    gateway.route(&target, &Method::GET).await
}

#[tokio::test]
async fn the_first_request_fetches_the_document_and_later_ones_do_not() {
    let world = World::default();
    let gateway = world.gateway();
    world.serve("http://a:1/docs/openapi.yaml", 200, "openapi: 3.1.0\npaths: {/product/: {get: {}}}");
    gateway.register(&root(), registration("products", "http://a:1")).await.unwrap();
    let (first, second) =
        tokio::join!(routed(&gateway, "/products/product/"), routed(&gateway, "/products/product/"));
    assert_eq!(first.unwrap().operation.path, "/product/");
    assert!(second.is_ok() && routed(&gateway, "/products/product/").await.is_ok());
    let expected =
        ["http://a:1/docs/swagger.json", "http://a:1/docs/openapi.json", "http://a:1/docs/openapi.yaml"];
    assert_eq!(world.fetches(), expected);
}

#[tokio::test]
async fn a_service_that_is_down_is_asked_again_only_after_a_pause() {
    let world = World::default();
    let gateway = world.gateway();
    gateway.register(&root(), registration("down", "http://down:1")).await.unwrap();
    for _ in 0..3 {
        let refused = routed(&gateway, "/down/product/").await.unwrap_err();
        assert_eq!(refused.status(), Some(StatusCode::BAD_GATEWAY));
        assert!(refused.to_string().contains("cannot be reached"), "{refused}");
    }
    assert_eq!(world.fetches().len(), 1);
    world.pass(PAUSE_MIN);
    assert!(routed(&gateway, "/down/product/").await.is_err());
    assert_eq!(world.fetches().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_is_asked_once_for_all_that_wait_and_then_left_alone() {
    let world = World::default();
    let gateway = world.gateway();
    let hanging = gateway.register(&root(), registration("hanging", "http://hanging:1")).await.unwrap();
    let learn = || gateway.learn_specification(hanging.id, None, Duration::from_secs(2));
    let (first, second, third) = tokio::join!(learn(), learn(), learn());
    for refused in [first, second, third].map(Result::unwrap_err) {
        assert_eq!(refused.status(), Some(StatusCode::BAD_GATEWAY), "{refused}");
    }
    assert_eq!(world.fetches().len(), 1, "who waited shares the outcome");
    world.pass(Duration::from_secs(9));
    assert!(learn().await.is_err());
    assert_eq!(world.fetches().len(), 1, "the pause begins when the fetch has ended, and is in proportion");
    world.pass(Duration::from_secs(1));
    assert!(learn().await.is_err());
    assert_eq!(world.fetches().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_has_little_patience_does_not_wait_for_a_fetch_of_somebody_who_has_more() {
    let world = World::default();
    let gateway = world.gateway();
    let hanging = gateway.register(&root(), registration("hanging", "http://hanging:1")).await.unwrap();
    let began = tokio::time::Instant::now();
    let short = async {
        let refused =
            gateway.learn_specification(hanging.id, None, Duration::from_secs(2)).await.unwrap_err();
        assert_eq!(began.elapsed(), Duration::from_secs(2), "{refused}");
    };
    let (long, ()) = tokio::join!(routed(&gateway, "/hanging/product/"), short);
    assert!(long.is_err());
    assert_eq!((world.fetches().len(), began.elapsed()), (1, FETCH_TIMEOUT));
}

#[tokio::test]
async fn a_document_that_is_none_leaves_the_stored_one_in_place() {
    let world = World::default();
    let gateway = world.gateway();
    let url = "http://a:1/docs/swagger.json";
    world.serve(url, 200, SPECIFICATION);
    let products = gateway.register(&root(), registration("products", "http://a:1")).await.unwrap();
    gateway.refresh_specification(&root(), products.id, None).await.unwrap();
    world.serve(url, 200, "<html>oops</html>");
    let refused = gateway.refresh_specification(&root(), products.id, None).await.unwrap_err();
    assert!(refused.to_string().contains("got a page that begins with `<html>oops</html>`"), "{refused}");
    world.serve(url, 503, "");
    let refused = gateway.refresh_specification(&root(), products.id, None).await.unwrap_err();
    assert!(refused.to_string().contains("/docs/swagger.json answered 503"), "{refused}");
    assert!(routed(&gateway, "/products/product/").await.is_ok());
    let kept = gateway.specification(&root(), products.id, None).await.unwrap().unwrap();
    assert_eq!(kept.text, SPECIFICATION);
}

#[tokio::test]
async fn a_refreshed_document_counts_at_once() {
    let world = World::default();
    let gateway = world.gateway();
    let url = "http://a:1/docs/swagger.json";
    world.serve(url, 200, SPECIFICATION);
    let products = gateway.register(&root(), registration("products", "http://a:1")).await.unwrap();
    assert!(routed(&gateway, "/products/product/").await.is_ok());
    world.pass(Duration::from_secs(1));
    world.serve(url, 200, r#"{"swagger": "2.0", "paths": {"/thing/": {"get": {}}}}"#);
    gateway.refresh_specification(&root(), products.id, None).await.unwrap();
    assert!(routed(&gateway, "/products/thing/").await.is_ok());
    assert!(matches!(routed(&gateway, "/products/product/").await, Err(Error::EndpointNotFound { .. })));
}

#[test]
fn documents_are_looked_for_below_the_registered_address_only() {
    let base = BaseUrl::parse("http://a:1/base/").unwrap();
    for (docs, expected) in [
        (
            None,
            vec![
                "/base/docs/swagger.json",
                "/base/docs/openapi.json",
                "/base/docs/openapi.yaml",
                "/base/openapi.json",
                "/base/swagger.json",
            ],
        ),
        (Some("/api/"), vec!["/base/api/swagger.json", "/base/api/openapi.json", "/base/api/openapi.yaml"]),
        (Some("schema.yml"), vec!["/base/schema.yml"]),
    ] {
        assert_eq!(addresses(&base, docs), expected);
    }
}

#[tokio::test]
async fn an_address_of_its_own_for_the_document_is_used() {
    let world = World::default();
    let gateway = world.gateway();
    world.serve("http://a:1/spec/api.json", 200, SPECIFICATION);
    let registration = Registration {
        docs_endpoint: Some("spec/api.json".to_owned()),
        ..registration("products", "http://a:1")
    };
    gateway.register(&root(), registration).await.unwrap();
    assert!(routed(&gateway, "/products/product/7").await.is_ok());
}
