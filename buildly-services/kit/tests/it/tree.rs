//! Records in each other.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::world::World;

async fn put_into(world: &World, name: &str, within: Option<&str>) -> String {
    let body = json!({"name": name, "within": within});
    let made = world.send(Method::POST, "/crates/", Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.id()
}

async fn move_to(world: &World, id: &str, within: Option<&str>) -> StatusCode {
    let body = json!({"within": within});
    world.send(Method::PATCH, &format!("/crates/{id}/"), Some(body)).await.status
}

async fn nothing_is_in_itself(world: Arc<World>) {
    let top = put_into(&world, "top", None).await;
    let middle = put_into(&world, "middle", Some(&top)).await;
    let bottom = put_into(&world, "bottom", Some(&middle)).await;
    for (case, id, within, expected) in [
        ("itself", &top, Some(&top), 400),
        ("its child", &top, Some(&middle), 400),
        ("a child of that", &top, Some(&bottom), 400),
        ("further up", &bottom, Some(&top), 200),
        ("now it may", &middle, Some(&bottom), 200),
        ("the top", &bottom, None, 200),
        ("what was below it", &top, Some(&middle), 200),
    ] {
        let status = move_to(&world, id, within.map(String::as_str)).await;
        assert_eq!(status.as_u16(), expected, "{case}");
    }
    let full = world.send(Method::DELETE, &format!("/crates/{middle}/"), None).await;
    assert_eq!(full.status, StatusCode::CONFLICT, "{}", full.text);
    assert_eq!(
        world.send(Method::DELETE, &format!("/crates/{top}/"), None).await.status,
        StatusCode::NO_CONTENT
    );
}

async fn moves_at_the_same_moment_make_no_circle(world: Arc<World>) {
    for round in 0..10 {
        let names = ["a", "b", "c"].map(|name| format!("{name} {round}"));
        let mut ids = Vec::new();
        for name in &names {
            ids.push(put_into(&world, name, None).await);
        }
        let moves: Vec<_> = [(0, 1), (1, 2), (2, 0)]
            .into_iter()
            .map(|(one, other)| {
                let (world, one, other) = (Arc::clone(&world), ids[one].clone(), ids[other].clone());
                tokio::spawn(async move { move_to(&world, &one, Some(&other)).await.as_u16() })
            })
            .collect();
        let mut statuses = Vec::new();
        for moving in moves {
            statuses.push(moving.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 400], "round {round}");
    }
}

async fn there_is_an_end_to_depth(world: Arc<World>) {
    let mut chain = vec![put_into(&world, "0", None).await];
    for level in 1..50 {
        chain.push(put_into(&world, &level.to_string(), Some(&chain[level - 1])).await);
    }
    let body = json!({"name": "50", "within": chain[49]});
    let deeper = world.send(Method::POST, "/crates/", Some(body)).await;
    assert_eq!(deeper.status, StatusCode::BAD_REQUEST, "{}", deeper.text);
    assert!(deeper.body["errors"]["within"].to_string().contains("50 levels"), "{}", deeper.text);
    let other = put_into(&world, "other", None).await;
    let below = put_into(&world, "below", Some(&other)).await;
    assert_eq!(move_to(&world, &other, Some(&chain[48])).await, StatusCode::BAD_REQUEST, "it brings a level");
    assert_eq!(move_to(&world, &below, Some(&chain[48])).await, StatusCode::OK);
    assert_eq!(move_to(&world, &other, Some(&chain[48])).await, StatusCode::OK);
}

async fn names_are_unique_in_one_place(world: Arc<World>) {
    let top = put_into(&world, "a", None).await;
    put_into(&world, "a", Some(&top)).await;
    let other = put_into(&world, "b", Some(&top)).await;
    for (case, within) in [("at the top", Value::Null), ("further down", json!(top))] {
        let twice = world.send(Method::POST, "/crates/", Some(json!({"name": "a", "within": within}))).await;
        assert_eq!(twice.status, StatusCode::CONFLICT, "{case}: {}", twice.text);
        assert!(twice.body["errors"]["name"].is_array(), "{case}: {}", twice.text);
    }
    let renamed = world.send(Method::PATCH, &format!("/crates/{other}/"), Some(json!({"name": "a"}))).await;
    assert_eq!(renamed.status, StatusCode::CONFLICT, "{}", renamed.text);
    let theirs = world.as_globex(Method::POST, "/crates/", Some(json!({"name": "a"}))).await;
    assert_eq!(theirs.status, StatusCode::CREATED, "another organization's names are its own");
    let into_ours =
        world.as_globex(Method::POST, "/crates/", Some(json!({"name": "c", "within": top}))).await;
    assert_eq!(into_ours.status, StatusCode::BAD_REQUEST);
}

on_both_databases!(
    nothing_is_in_itself,
    moves_at_the_same_moment_make_no_circle,
    there_is_an_end_to_depth,
    names_are_unique_in_one_place,
);
