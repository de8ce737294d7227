//! Links between records.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::on_both_databases;
use crate::world::World;

async fn what_points_at_a_deleted_record_does_what_its_type_says(world: Arc<World>) {
    let thing = world.make(json!({"name": "Lamp"})).await;
    let id = thing.id();
    let part = |body: Value| {
        let world = Arc::clone(&world);
        async move { world.send(Method::POST, "/parts/", Some(body)).await }
    };
    let (of, maybe_of, needed_for) = (
        part(json!({"of": id})).await,
        part(json!({"maybe_of": id})).await,
        part(json!({"needed_for": id})).await,
    );
    let refused = world.send(Method::DELETE, &thing.path("/things/"), None).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    let read = world.send(Method::GET, &maybe_of.path("/parts/"), None).await;
    assert_eq!(read.body["maybe_of"], id, "a refused deletion changes nothing");
    world.send(Method::DELETE, &needed_for.path("/parts/"), None).await;
    let deleted = world.send(Method::DELETE, &thing.path("/things/"), None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    let gone = world.send(Method::GET, &of.path("/parts/"), None).await;
    let cleared = world.send(Method::GET, &maybe_of.path("/parts/"), None).await;
    assert_eq!((gone.status, cleared.status), (StatusCode::NOT_FOUND, StatusCode::OK));
    assert_eq!((&cleared.body["maybe_of"], &cleared.body["version"]), (&Value::Null, &json!(2)));
}

async fn a_link_to_nothing_is_refused(world: Arc<World>) {
    let body = json!({"of": Uuid::from_u128(5), "needed_for": Uuid::from_u128(6)});
    let refused = world.send(Method::POST, "/parts/", Some(body)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let errors = refused.body["errors"].as_object().unwrap();
    assert_eq!(errors.keys().collect::<Vec<_>>(), ["needed_for", "of"]);
}

async fn no_link_dangles_when_writes_race(world: Arc<World>) {
    for round in 0..15 {
        let thing = world.make(json!({"name": format!("{round}")})).await;
        let (id, path) = (thing.id(), thing.path("/things/"));
        let linking: Vec<_> = (0..4)
            .map(|_| {
                let (world, id) = (Arc::clone(&world), id.clone());
                tokio::spawn(async move {
                    world.send(Method::POST, "/parts/", Some(json!({"of": id}))).await.status
                })
            })
            .collect();
        let deleted = world.send(Method::DELETE, &path, None).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
        for linked in linking {
            let status = linked.await.unwrap();
            assert!(matches!(status, StatusCode::CREATED | StatusCode::BAD_REQUEST), "{status}");
        }
        let left = world.send(Method::GET, &format!("/parts/?of={id}"), None).await;
        assert!(left.results().is_empty(), "round {round}: {}", left.text);
    }
}

on_both_databases!(
    what_points_at_a_deleted_record_does_what_its_type_says,
    a_link_to_nothing_is_refused,
    no_link_dangles_when_writes_race,
);
