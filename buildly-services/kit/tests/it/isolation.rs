//! Nothing crosses an organization, tried from outside.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;

use crate::on_both_databases;
use crate::world::{World, acme};

async fn another_organizations_record_reads_as_missing(world: Arc<World>) {
    let made = world.make(json!({"name": "Lamp", "count": 1})).await;
    let path = &made.path("/things/");
    for method in [Method::GET, Method::HEAD, Method::PATCH, Method::DELETE] {
        let answer = world.as_globex(method.clone(), path, Some(json!({"count": 2}))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    let query = format!("/things/?id__in={}&search=lamp", made.id());
    assert!(world.as_globex(Method::GET, &query, None).await.results().is_empty());
    let read = world.send(Method::GET, path, None).await;
    assert_eq!(read.body, made.body, "nothing changed");
}

async fn the_same_id_and_name_may_be_used_in_each(world: Arc<World>) {
    let made = world.make(json!({"name": "Lamp"})).await;
    let path = &made.path("/things/");
    let theirs = world.as_globex(Method::PUT, path, Some(json!({"name": "Lamp", "count": 5}))).await;
    assert_eq!(theirs.status, StatusCode::CREATED, "whether acme has one does not show: {}", theirs.text);
    assert_eq!(world.as_globex(Method::DELETE, path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.send(Method::GET, path, None).await.body, made.body);
}

async fn the_body_and_the_query_cannot_name_an_organization(world: Arc<World>) {
    let body = json!({"name": "Lamp", "organization_id": acme(), "organization_uuid": acme()});
    let refused = world.as_globex(Method::POST, "/things/", Some(body)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body["errors"]["organization_id"].is_array(), "{}", refused.text);
    let query = format!("/things/?organization_id={}", acme());
    assert_eq!(world.as_globex(Method::GET, &query, None).await.status, StatusCode::BAD_REQUEST);
}

async fn a_link_cannot_lead_to_another_organization(world: Arc<World>) {
    let thing = world.make(json!({"name": "Lamp"})).await;
    let body = json!({"of": thing.id()});
    let refused = world.as_globex(Method::POST, "/parts/", Some(body.clone())).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.body["errors"]["of"].is_array(), "{}", refused.text);
    assert_eq!(world.send(Method::POST, "/parts/", Some(body)).await.status, StatusCode::CREATED);
}

async fn a_cursor_of_another_organization_shows_nothing_of_it(world: Arc<World>) {
    for name in ["a", "b", "c"] {
        world.make(json!({"name": name})).await;
    }
    let page = world.send(Method::GET, "/things/?limit=1", None).await;
    let next = format!("/things/{}", page.body["next"].as_str().unwrap());
    assert!(world.as_globex(Method::GET, &next, None).await.results().is_empty());
}

async fn an_idempotency_key_belongs_to_its_principal(world: Arc<World>) {
    let key = [("idempotency-key", "same")];
    let body = json!({"name": "Lamp"}).to_string().into_bytes();
    let ours = world.raw(&world.acme, Method::POST, "/things/", &key, body.clone()).await;
    let theirs = world.raw(&world.globex, Method::POST, "/things/", &key, body).await;
    assert_eq!((ours.status, theirs.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_ne!(ours.id(), theirs.id());
}

on_both_databases!(
    another_organizations_record_reads_as_missing,
    the_same_id_and_name_may_be_used_in_each,
    the_body_and_the_query_cannot_name_an_organization,
    a_link_cannot_lead_to_another_organization,
    a_cursor_of_another_organization_shows_nothing_of_it,
    an_idempotency_key_belongs_to_its_principal,
);
