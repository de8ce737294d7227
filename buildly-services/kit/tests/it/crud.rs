//! One record's life.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both_databases;
use crate::world::World;

async fn a_record_lives_and_ends(world: Arc<World>) {
    let body = json!({"name": "Lamp", "count": 3, "weight": 1.25, "since": "2026-11-23T18:30:00.25Z", "tags": ["a", "ü"]});
    let made = world.make(body).await;
    let path = made.path("/things/");
    assert_eq!(path, format!("/things/{}/", made.id()));
    assert_eq!(made.header("etag"), "\"1\"");
    for path in [path.as_str(), path.trim_end_matches('/')] {
        let read = world.send(Method::GET, path, None).await;
        assert_eq!((read.status, &read.body), (StatusCode::OK, &made.body));
    }
    assert_eq!(made.body["since"], "2026-11-23T18:30:00.25Z");
    assert_eq!(made.body["on_sale"], false, "a default is kept as if it had been sent");
    let changed = world.send(Method::PATCH, &path, Some(json!({"count": null, "note": "dim"}))).await;
    assert_eq!((changed.status, changed.header("etag")), (StatusCode::OK, "\"2\""), "{}", changed.text);
    assert_eq!(changed.body["count"], Value::Null);
    assert_eq!(changed.body["weight"], 1.25);
    let replaced = world.send(Method::PUT, &path, Some(json!({"name": "Torch"}))).await;
    assert_eq!((replaced.status, &replaced.body["weight"]), (StatusCode::OK, &Value::Null));
    assert_eq!(replaced.body["created_at"], made.body["created_at"]);
    let repeated = world.send(Method::PUT, &path, Some(replaced.body.clone())).await;
    assert_eq!(repeated.body, replaced.body, "a PUT of what is there writes nothing");
    assert_eq!(world.send(Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let gone = world.send(method.clone(), &path, Some(json!({}))).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{method}");
    }
}

async fn a_put_makes_a_record_under_an_id_of_the_client(world: Arc<World>) {
    let path = format!("/things/{}/", Uuid::from_u128(99));
    let only_new = [("if-none-match", "*")];
    let body = json!({"name": "Lamp"});
    let made = world.ask(Method::PUT, &path, &only_new, Some(body.clone())).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let again = world.ask(Method::PUT, &path, &only_new, Some(body.clone())).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_FAILED);
    let kept = world.send(Method::PUT, &path, Some(body)).await;
    assert_eq!((kept.status, kept.body), (StatusCode::OK, made.body));
}

async fn a_change_based_on_an_old_version_is_refused(world: Arc<World>) {
    let made = world.make(json!({"name": "Lamp"})).await;
    let path = made.path("/things/");
    let with_tag = [("if-match", "\"1\"")];
    let first = world.ask(Method::PATCH, &path, &with_tag, Some(json!({"count": 1}))).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    for (method, body) in [
        (Method::PATCH, Some(json!({"count": 2}))),
        (Method::PUT, Some(json!({"name": "Lamp"}))),
        (Method::DELETE, None),
    ] {
        let stale = world.ask(method.clone(), &path, &with_tag, body).await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{method}");
    }
    let weak = world.ask(Method::DELETE, &path, &[("if-match", "W/\"2\"")], None).await;
    assert_eq!(weak.status, StatusCode::BAD_REQUEST);
    let unmodified = world.ask(Method::GET, &path, &[("if-none-match", "\"2\"")], None).await;
    assert_eq!((unmodified.status, unmodified.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

async fn a_guarded_record_is_changed_only_with_its_version(world: Arc<World>) {
    let made = world.send(Method::POST, "/contracts/", Some(json!({"text": "Buy."}))).await;
    let path = made.path("/contracts/");
    for (method, body) in [
        (Method::PATCH, Some(json!({"text": "Sell."}))),
        (Method::PUT, Some(json!({"text": "Sell."}))),
        (Method::DELETE, None),
    ] {
        let refused = world.send(method.clone(), &path, body).await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_REQUIRED, "{method}");
    }
    let deleted = world.ask(Method::DELETE, &path, &[("if-match", "\"1\"")], None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
}

async fn concurrent_changes_are_all_kept(world: Arc<World>) {
    let made = world.make(json!({"name": "Lamp"})).await;
    let path = made.path("/things/");
    let fields = [("count", json!(7)), ("weight", json!(2.5)), ("note", json!("hot"))];
    let changes = fields.clone().map(|(field, value)| {
        let (world, path) = (Arc::clone(&world), path.clone());
        tokio::spawn(
            async move { world.send(Method::PATCH, &path, Some(json!({field: value}))).await.status },
        )
    });
    for change in changes {
        assert_eq!(change.await.unwrap(), StatusCode::OK);
    }
    let read = world.send(Method::GET, &path, None).await;
    for (field, value) in fields {
        assert_eq!(read.body[field], value, "{field}");
    }
    assert_eq!(read.body["version"], 4);
}

async fn a_taken_value_is_named(world: Arc<World>) {
    world.make(json!({"name": "Lamp"})).await;
    let other = world.make(json!({"name": "Torch"})).await;
    let path = &other.path("/things/");
    for (method, path) in [(Method::POST, "/things/"), (Method::PATCH, path), (Method::PUT, path)] {
        let taken = world.send(method.clone(), path, Some(json!({"name": "Lamp"}))).await;
        assert_eq!(taken.status, StatusCode::CONFLICT, "{method}: {}", taken.text);
        assert!(taken.body["errors"]["name"].is_array(), "{}", taken.text);
    }
}

async fn head_and_options_say_what_there_is(world: Arc<World>) {
    let made = world.make(json!({"name": "Lamp"})).await;
    let path = &made.path("/things/");
    let read = world.send(Method::GET, path, None).await;
    let head = world.send(Method::HEAD, path, None).await;
    assert_eq!((head.status, head.text.as_str(), head.header("etag")), (StatusCode::OK, "", "\"1\""));
    assert_eq!(head.header("content-length"), read.text.len().to_string());
    let options = world.send(Method::OPTIONS, path, None).await;
    assert_eq!(options.status, StatusCode::NO_CONTENT);
    assert_eq!(options.header("allow"), "GET, HEAD, OPTIONS, PUT, PATCH, DELETE");
    let wrong = world.send(Method::POST, path, Some(json!({}))).await;
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, options.header("allow"))
    );
}

async fn what_everybody_may_see_needs_no_token(world: Arc<World>) {
    for path in ["/", "/health/", "/docs/openapi.json", "/docs/swagger.json"] {
        let answer = world.raw("", Method::GET, path, &[], Vec::new()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    let document = world.raw("", Method::GET, "/docs/openapi.json", &[], Vec::new()).await.body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let parameters = document["paths"]["/things/"]["get"]["parameters"].as_array().unwrap();
    let ids = parameters.iter().find(|parameter| parameter["name"] == "id__in").unwrap();
    assert_eq!((&ids["schema"]["type"], &ids["explode"]), (&json!("array"), &json!(false)));
    for reference in find_references(&document) {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "`{reference}` leads nowhere");
    }
}

fn find_references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value.as_str() {
                Some(target) if name == "$ref" => vec![target.to_owned()],
                _ => find_references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(find_references).collect(),
        _ => Vec::new(),
    }
}

on_both_databases!(
    a_record_lives_and_ends,
    a_put_makes_a_record_under_an_id_of_the_client,
    a_change_based_on_an_old_version_is_refused,
    a_guarded_record_is_changed_only_with_its_version,
    concurrent_changes_are_all_kept,
    a_taken_value_is_named,
    head_and_options_say_what_there_is,
    what_everybody_may_see_needs_no_token,
);
