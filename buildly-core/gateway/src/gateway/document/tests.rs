use serde_json::json;

use super::super::world::{SPECIFICATION, World, registration, root};
use super::*;
use crate::InstanceSpec;

async fn document(gateway: &Gateway) -> Value {
    let core = json!({"openapi": "3.1.0", "paths": {"/coreuser/": {}}});
    serde_json::from_slice(&gateway.merged_document(&core).await.unwrap()).unwrap()
}

fn paths(document: &Value) -> Vec<&str> {
    let mut paths: Vec<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    paths.sort_unstable();
    paths
}

#[tokio::test]
async fn services_are_asked_for_their_documents_and_those_that_are_down_are_left_out() {
    let world = World::default();
    let gateway = world.gateway();
    world.serve("http://a:1/docs/swagger.json", 200, SPECIFICATION);
    gateway.register(&root(), registration("alpha", "http://a:1")).await.unwrap();
    gateway.register(&root(), registration("down", "http://down:1")).await.unwrap();
    for _ in 0..3 {
        let document = document(&gateway).await;
        assert_eq!(paths(&document), ["/alpha/product/", "/alpha/product/{id}/", "/coreuser/"]);
    }
    assert_eq!(world.fetches().len(), 2, "the one that is down is not asked again at once");
    world.pass(ASK_INTERVAL);
    document(&gateway).await;
    assert_eq!(world.fetches().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_holds_nobody_up_but_who_asks_it_and_not_for_long() {
    let world = World::default();
    let gateway = world.gateway();
    world.serve("http://a:1/docs/swagger.json", 200, SPECIFICATION);
    gateway.register(&root(), registration("alpha", "http://a:1")).await.unwrap();
    gateway.register(&root(), registration("hanging", "http://hanging:1")).await.unwrap();
    let began = tokio::time::Instant::now();
    let other = async {
        document(&gateway).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    };
    let (first, ()) = tokio::join!(document(&gateway), other);
    assert_eq!((began.elapsed(), paths(&first).len()), (PATIENCE, 3));
}

#[tokio::test]
async fn the_document_follows_what_is_registered() {
    let world = World::default();
    let gateway = world.gateway();
    world.serve("http://a:1/docs/swagger.json", 200, SPECIFICATION);
    world.serve(
        "http://a:2/docs/swagger.json",
        200,
        r#"{"swagger": "2.0", "paths": {"/item/": {"get": {}}}}"#,
    );
    let alpha = gateway.register(&root(), registration("alpha", "http://a:1")).await.unwrap();
    assert_eq!(paths(&document(&gateway).await).len(), 3);
    let second = InstanceSpec {
        base_url: Some("http://a:2".to_owned()),
        version: Some(Version::parse("v2")),
        ..InstanceSpec::default()
    };
    gateway.add_instance(&root(), alpha.id, &second).await.unwrap();
    gateway.refresh_specification(&root(), alpha.id, Version::parse("v2").as_ref()).await.unwrap();
    assert!(paths(&document(&gateway).await).contains(&"/v2/alpha/item/"));
    gateway.delete(&root(), alpha.id).await.unwrap();
    assert_eq!(paths(&document(&gateway).await), ["/coreuser/"]);
}
