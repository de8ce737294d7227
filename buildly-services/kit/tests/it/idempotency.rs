//! A repeated POST does nothing twice.

use std::collections::HashSet;
use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;

use crate::on_both_databases;
use crate::world::{World, acme};

const KEY: [(&str, &str); 1] = [("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324")];

async fn the_first_answer_is_given_again(world: Arc<World>) {
    let body = json!({"name": "Lamp"});
    let first = world.ask(Method::POST, "/things/", &KEY, Some(body.clone())).await;
    let again = world.ask(Method::POST, "/things/", &KEY, Some(body)).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(again.header("location"), first.header("location"));
    let other = world.ask(Method::POST, "/things/", &KEY, Some(json!({"name": "Torch"}))).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.send(Method::GET, "/things/", None).await.results().len(), 1);
}

async fn many_at_once_make_one_record(world: Arc<World>) {
    let sent: Vec<_> = (0..20)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                // Without a unique name, so that only the key keeps them from being made.
                let body = json!({"of": null});
                let answer = world.ask(Method::POST, "/parts/", &KEY, Some(body)).await;
                assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
                answer.id()
            })
        })
        .collect();
    let mut ids = HashSet::new();
    for answer in sent {
        ids.insert(answer.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(world.send(Method::GET, "/parts/", None).await.results().len(), 1);
}

async fn a_refused_request_may_be_corrected_under_its_key(world: Arc<World>) {
    let refused = world.ask(Method::POST, "/things/", &KEY, Some(json!({"name": ""}))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let made = world.ask(Method::POST, "/things/", &KEY, Some(json!({"name": "Lamp"}))).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let bad =
        world.ask(Method::POST, "/things/", &[("idempotency-key", "")], Some(json!({"name": "x"}))).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
}

async fn a_key_is_its_callers_own_and_is_good_for_one_request(world: Arc<World>) {
    let part = json!({"of": null});
    let first = world.ask(Method::POST, "/parts/", &KEY, Some(part.clone())).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let body = part.to_string().into_bytes();
    let colleague = world.issuer.token(acme(), uuid::Uuid::from_u128(99));
    let stranger = world.globex.clone();
    for (case, token) in [("a colleague", colleague), ("another organization", stranger)] {
        let theirs = world.raw(&token, Method::POST, "/parts/", &KEY, body.clone()).await;
        assert_eq!(theirs.status, StatusCode::CREATED, "{case}: {}", theirs.text);
        assert_ne!(theirs.id(), first.id(), "{case} is not given the answer of somebody else");
    }
    let elsewhere = world.ask(Method::POST, "/contracts/", &KEY, Some(json!({"text": "x"}))).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", elsewhere.text);
    assert_eq!(elsewhere.body["type"], "urn:buildly:problem:key-reused");
}

on_both_databases!(
    a_key_is_its_callers_own_and_is_good_for_one_request,
    the_first_answer_is_given_again,
    many_at_once_make_one_record,
    a_refused_request_may_be_corrected_under_its_key,
);
